import { ApplyError, InterruptedError, type KbError, NotConvergedError, TimeoutError } from "../errors.ts";
import type { Emit } from "../events.ts";
import type { Assessment, Task } from "../module.ts";
import type { Probe } from "../probe.ts";
import { diffStates } from "../state.ts";
import { compile, guardsOf, type RawAnswer, sha256 } from "./compile.ts";
import type { Frame } from "./frames.ts";
import { type Judgement, read } from "./judge.ts";
import { INTERRUPTED, renderAction, renderGuard, renderRun } from "./render.ts";
import { type HostSession, renderAll } from "./session.ts";

/** A task with what was asked and decided, in the order of the list. */
export interface PlannedTask {
  readonly task: Task;
  readonly answers: readonly RawAnswer[];
  readonly judgement: Judgement;
}

/** How far one script came. */
export interface Applied {
  /** Tasks before this one are done. The length of the list where all are. */
  readonly reached: number;
  /** Why it stopped there: the ground had moved, something was missing, an action failed, the operator stopped it. */
  readonly halt: "stale" | "later" | "failed" | "interrupted" | undefined;
  /** Present with `failed`. */
  readonly error: KbError | undefined;
  /** Answers of all tasks of the list, asked again at the end of the script. */
  readonly answers: readonly (readonly RawAnswer[])[];
  /** Milliseconds that each task's actions took. */
  readonly ms: readonly number[];
}

/**
 * Carries out a list in one round trip, optimistically: for each task in order, the host asks the same question again,
 * acts only if the answer is still the one that the decision was made from, and stops before the first task whose ground
 * has moved. At the end all questions are asked once more: they prove what was done, and what is left is planned from
 * them.
 *
 * @param trusted index of a task whose question gives another text each time although it reads as the same state: it is
 *   not guarded, or it would never come to its turn
 */
export async function applyScript(
  session: HostSession,
  planned: readonly PlannedTask[],
  trusted: number | undefined,
  emit: Emit,
): Promise<Applied> {
  const shell = await session.open();
  const limits = new Map<string, number>();
  const closing = compile(
    planned.map(({ task }) => task.probe),
    "z",
  );
  const script = [...renderTasks(planned, trusted, limits), renderAll(closing), 'rm -f "$KB_STOP"'].join("\n");
  const frames = new Map<string, Frame>();
  const ms = planned.map(() => 0);
  let begun = 0;
  let halt: { index: number; why: string } | undefined;
  await shell.run(
    script,
    {
      onBegin: (id) => {
        begun = performance.now();
        const index = taskOf(id);
        if (index !== undefined && id.endsWith(".0")) {
          emit({ type: "task-start", host: session.name, task: planned[index]?.task.name ?? "" });
        }
      },
      onData: (id, chunk) => {
        const task = planned[taskOf(id) ?? -1]?.task.name;
        if (task !== undefined) emit({ type: "output", host: session.name, task, text: chunk.toString("utf8") });
      },
      onFrame: (frame) => {
        frames.set(frame.id, frame);
        const index = taskOf(frame.id);
        if (index !== undefined) ms[index] = (ms[index] ?? 0) + performance.now() - begun;
      },
      onHalt: (index, why) => {
        halt = { index: Number(index), why };
      },
      onDone: () => {},
    },
    limits,
  );
  const reached = halt?.index ?? planned.length;
  const why = halt?.why as Applied["halt"];
  const failedAt = planned[reached];
  return {
    reached,
    halt: why,
    error: failedAt === undefined ? undefined : haltError(session, failedAt.task, reached, why, frames),
    answers: closing.collect(frames),
    ms,
  };
}

/** Frames of actions are named `aTASK.ACTION`. */
function taskOf(id: string): number | undefined {
  return id.startsWith("a") ? Number.parseInt(id.slice(1), 10) : undefined;
}

function* renderTasks(
  planned: readonly PlannedTask[],
  trusted: number | undefined,
  limits: Map<string, number>,
): Generator<string> {
  let index = 0;
  while (index < planned.length) {
    // Neighbours that need nothing are asked again together, in one test.
    let end = index + 1;
    while (planned[index]?.judgement.kind === "ok" && planned[end]?.judgement.kind === "ok") end += 1;
    const group = planned.slice(index, end);
    yield `kb_free && [ -e "$KB_STOP" ] && kb_halt ${index} interrupted`;
    if (group.some(({ judgement }) => judgement.kind === "later")) {
      yield `kb_halt ${index} later`;
      return;
    }
    const asked = group
      .filter((_, offset) => index + offset !== trusted)
      .map(({ task, answers }): { probe: Probe<unknown>; answers: readonly RawAnswer[] } => ({
        probe: task.probe,
        answers,
      }));
    for (const guard of guardsOf(asked)) {
      yield `! kb_free || { ${renderGuard(guard, sha256)}; } || kb_halt ${index} stale`;
    }
    const judgement = group[0]?.judgement;
    if (judgement?.kind === "act") yield* renderActions(index, judgement, limits);
    index = end;
  }
}

function* renderActions(
  index: number,
  judgement: Extract<Judgement, { kind: "act" }>,
  limits: Map<string, number>,
): Generator<string> {
  for (const [number, action] of judgement.actions.entries()) {
    const id = `a${index}.${number}`;
    const { script, timeoutMs } = renderAction(action);
    limits.set(id, timeoutMs);
    yield `! kb_free || { ${renderRun(id, script)}; } || kb_halt ${index} failed`;
  }
}

function haltError(
  session: HostSession,
  task: Task,
  index: number,
  why: Applied["halt"],
  frames: ReadonlyMap<string, Frame>,
): KbError | undefined {
  const place = { host: session.name, task: task.name, where: task.where };
  if (why === "interrupted") {
    return new InterruptedError("stopped before this task, as asked", { ...place, hint: "run the same command again" });
  }
  if (why !== "failed") return undefined;
  const last = [...frames.values()].filter((frame) => taskOf(frame.id) === index).at(-1);
  const said = `${last?.stdout.toString("utf8").trim() ?? ""}\n${last?.stderr.toString("utf8").trim() ?? ""}`.trim();
  const detail = said.split("\n").slice(-15).join("\n");
  if (last?.exitCode === INTERRUPTED) {
    return new InterruptedError("stopped while it waited, as asked", { ...place, hint: "run the same command again" });
  }
  if (last?.exitCode === 124 || last?.exitCode === 137) {
    return new TimeoutError("took longer than its limit", { ...place, detail });
  }
  return new ApplyError(`failed with exit code ${last?.exitCode ?? "unknown"}`, { ...place, detail });
}

/** Whether a task is where it should be, from the answers after its actions; the error that says what differs. */
export function verify(
  session: HostSession,
  { task, judgement }: PlannedTask,
  answers: readonly RawAnswer[],
): KbError | undefined {
  // A gate's action is its proof, and what a gate proved need not last.
  if (judgement.kind !== "act" || task.gate) return undefined;
  const reading = read(session, task, answers);
  if ("error" in reading) return reading.error;
  const place = { host: session.name, task: task.name, where: task.where };
  if ("unmet" in reading) return new NotConvergedError(`its actions succeeded, but ${reading.unmet.reason}`, place);
  const after = task.assess(reading.state);
  if (!after.differs) return undefined;
  return new NotConvergedError("its actions succeeded, but the host is still not as wanted", {
    ...place,
    detail: renderDifferences(after),
    hint: "another task of this list, or another program on the host, may set the same thing",
  });
}

function renderDifferences(assessment: Assessment): string {
  const show = (value: unknown): string => (value === undefined ? "nothing" : JSON.stringify(value));
  return diffStates(assessment.current, assessment.wanted)
    .map(({ path, before, after }) => `${path}: found ${show(before)}, wanted ${show(after)}`)
    .join("\n");
}

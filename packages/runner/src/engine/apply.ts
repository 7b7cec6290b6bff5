import { StringDecoder } from "node:string_decoder";
import { ApplyError, InterruptedError, type KbError, NotConvergedError, TimeoutError } from "../errors.ts";
import type { Emit } from "../events.ts";
import { hintFor } from "../host-faults.ts";
import type { Assessment, Task } from "../module.ts";
import { diffStates } from "../state.ts";
import { INTERRUPTED } from "./actions.ts";
import { compile, type RawAnswer } from "./compile.ts";
import type { Frame } from "./frames.ts";
import { type Deadline, GRACE_MS, QUESTION_MS } from "./held-shell.ts";
import { read } from "./judge.ts";
import { type ListScript, type ListScriptOptions, renderList } from "./list-script.ts";
import type { PlannedTask } from "./plan.ts";
import { type HostSession, nameAskers, renderAll } from "./session.ts";

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

/** How a list is carried out. */
export interface ApplyOptions extends ListScriptOptions {
  readonly emit: Emit;
  /** Who carries it out; whoever the held shell is unless given. */
  readonly user: string | undefined;
}

/**
 * Carries out a list in one round trip, optimistically: for each task in order, the host asks the same question again,
 * acts only if the answer is still the one that the decision was made from, and stops before the first task whose ground
 * has moved. At the end all questions are asked once more: they prove what was done, and what is left is planned from
 * them.
 */
export async function applyScript(
  session: HostSession,
  planned: readonly PlannedTask[],
  { careful, emit, user }: ApplyOptions,
): Promise<Applied> {
  const shell = await session.open();
  const tasks = planned.map(({ task }) => task);
  const closing = compile(
    tasks.map(({ probe }) => probe),
    "z",
  );
  const list = renderList(planned, { careful });
  const frames = new Map<string, Frame>();
  const ms = planned.map(() => 0);
  const decode = makeDecoder();
  let begun = 0;
  let halt: { index: number; why: string } | undefined;
  await shell.run(
    `${list.text}\n${renderAll(closing)}`,
    {
      onBegin: (id) => {
        begun = performance.now();
        const index = taskOf(id);
        if (index !== undefined && !/\.[1-9]/.test(id)) {
          emit({ type: "task-start", host: session.name, task: tasks[index]?.name ?? "" });
        }
      },
      onData: (id, chunk, side) => {
        const task = tasks[taskOf(id) ?? -1]?.name;
        const text = task === undefined ? "" : decode(`${id} ${side}`, chunk);
        if (task !== undefined && text !== "") emit({ type: "output", host: session.name, task, text });
      },
      onFrame: (frame) => {
        frames.set(frame.id, frame);
        share(frame.id, performance.now() - begun, ms);
      },
      onHalt: (index, why) => {
        halt = { index: Number(index), why };
      },
      onDone: () => {},
    },
    { user, deadline: (at) => deadlineOf(at, tasks, list, (id) => nameAskers(closing, id, tasks)) },
  );
  const reached = halt?.index ?? planned.length;
  const why = halt?.why as Applied["halt"];
  const failedAt = tasks[reached];
  return {
    reached,
    halt: why,
    error: failedAt === undefined ? undefined : haltError(session, failedAt, reached, why, frames, list),
    answers: closing.collect(frames),
    ms,
  };
}

/** Text of streams that come in pieces, which may end in the midst of a character. */
function makeDecoder(): (stream: string, chunk: Buffer) => string {
  const decoders = new Map<string, StringDecoder>();
  return (stream, chunk) => {
    const decoder = decoders.get(stream) ?? new StringDecoder("utf8");
    decoders.set(stream, decoder);
    return decoder.write(chunk);
  };
}

/** Frames of actions are named `aTASK.ACTION`, or `aTASK+COUNT`. */
function taskOf(id: string): number | undefined {
  return id.startsWith("a") ? Number.parseInt(id.slice(1), 10) : undefined;
}

/** What was done together took each of them its part of the time. */
function share(id: string, elapsedMs: number, ms: number[]): void {
  const first = taskOf(id);
  if (first === undefined) return;
  const count = Number(/\+(\d+)$/.exec(id)?.[1] ?? 1);
  for (let index = first; index < first + count; index += 1) ms[index] = (ms[index] ?? 0) + elapsedMs / count;
}

/** The longest that the script may be silent at one place of it, and what is going on there. */
function deadlineOf(
  at: string | undefined,
  tasks: readonly Task[],
  { steps }: ListScript,
  askers: (id: string) => string,
): Deadline {
  const step = at === undefined ? undefined : steps.get(at);
  const task = tasks[at === undefined ? -1 : (taskOf(at) ?? (at.startsWith("p") ? Number(at.slice(1)) : -1))];
  const place = task === undefined ? {} : { task: task.name, where: task.where };
  if (step !== undefined) return { ...place, ms: step.timeoutMs + GRACE_MS, what: step.what };
  if (task !== undefined) {
    const own = task.probe.questions.map((question) => ("timeoutMs" in question ? (question.timeoutMs ?? 0) : 0));
    return { ...place, ms: Math.max(QUESTION_MS, ...own), what: "the question before it acts" };
  }
  return {
    what: at?.startsWith("z") === true ? `the closing question of ${askers(at)}` : "what comes after an action",
  };
}

function haltError(
  session: HostSession,
  task: Task,
  index: number,
  why: Applied["halt"],
  frames: ReadonlyMap<string, Frame>,
  { steps }: ListScript,
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
    const step = steps.get(last.id);
    const limit = step === undefined ? "its limit" : `its limit of ${step.timeoutMs / 1000} s`;
    return new TimeoutError(`took longer than ${limit}`, {
      ...place,
      detail: `it ran: ${step?.what ?? "an action"}\n${detail}`.trimEnd(),
      hint: "if it needs longer, give the task a timeoutMs",
    });
  }
  const ran = last === undefined ? undefined : steps.get(last.id)?.what;
  return new ApplyError(`failed with exit code ${last?.exitCode ?? "unknown"}`, {
    ...place,
    detail: `${ran === undefined ? "" : `it ran: ${ran}\n`}${detail}`.trimEnd(),
    hint: hintFor(detail) ?? "mend that, then run the same command again: it goes on from what it finds",
  });
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

import { applyScript, verify } from "./engine/apply.ts";
import { type RawAnswer, toOutputs } from "./engine/compile.ts";
import { foresee, type Judgement } from "./engine/judge.ts";
import { type PlannedTask, planAll } from "./engine/plan.ts";
import type { HostSession } from "./engine/session.ts";
import { BecomeError, BugError, isHandleable, type KbError } from "./errors.ts";
import type { Emit, FailureHandling, Outcome, TaskResult } from "./events.ts";
import type { Task } from "./module.ts";
import { type Overseer, type Review, reviewed } from "./overseer.ts";
import type { Rehearsal } from "./rehearsal.ts";
import { Secret } from "./secret.ts";
import { diffStates, equalValues } from "./state.ts";
import { unifiedDiff } from "./text-diff.ts";

/** How a run treats differences. The only reader of `mode` is {@link ensureHost}. */
export interface EnsureContext {
  readonly mode: "check" | "apply";
  /** Whether results carry text diffs: costs one more round trip where a text differs. */
  readonly diff: boolean;
  readonly emit: Emit;
  /** Stands in for the hosts in a run that connects to none. */
  readonly rehearsal?: Rehearsal | undefined;
  /** Sees every decision before anything comes of it. */
  readonly overseer?: Overseer | undefined;
  /** What becomes of a failure; the host leaves the run unless given. */
  readonly handled?: FailureHandling | undefined;
  /** Who the tasks are carried out as on the hosts; the connection's user unless given. */
  readonly user?: string | undefined;
  /** Whether any host has changes that check mode predicted and did not make. */
  pending(): boolean;
}

/**
 * What to make of a gate's question that does not hold on a host now: a run awaits it. Check mode does not, since time
 * alone may bring it, or the changes that are pending then.
 */
export function whenUnheld(
  context: EnsureContext,
  session: HostSession,
): { readonly awaited: boolean; readonly pending: boolean } {
  return { awaited: context.mode === "apply", pending: context.pending() || session.predicted.size > 0 };
}

/** A question that gives another text each time cannot be guarded; this many fruitless rounds and it is a defect. */
const MAX_ROUNDS_WITHOUT_PROGRESS = 3;

/**
 * Brings one host to what a list of tasks declares, in order. In check mode, tells what that would change.
 *
 * One round trip where nothing differs; otherwise one more, and one for each task whose ground an earlier change moved.
 * @throws KbError that says which task failed; the tasks after it were not begun
 */
export async function ensureHost(
  session: HostSession,
  tasks: readonly Task[],
  context: EnsureContext,
): Promise<readonly TaskResult[]> {
  if (context.rehearsal !== undefined) return context.rehearsal.take(session.name, tasks);
  const probes = tasks.map((task) => task.probe);
  let answers: readonly (readonly RawAnswer[])[];
  try {
    answers = await session.ask(probes, { user: context.user, tasks });
  } catch (error) {
    return unknowable(session, tasks, context, error);
  }
  const review = context.overseer?.list(session.name, tasks);
  return context.mode === "check"
    ? checkTasks(session, tasks, answers, context, review)
    : applyTasks(session, tasks, answers, context, review);
}

/** Who may be a user that an earlier change, still pending, will make: nothing of what is theirs can be known yet. */
function unknowable(
  session: HostSession,
  tasks: readonly Task[],
  { mode }: EnsureContext,
  error: unknown,
): readonly TaskResult[] {
  if (!(error instanceof BecomeError) || mode === "apply" || session.predicted.size === 0) throw error;
  const { message: reason } = error;
  return tasks.map((task) => session.report(result(session, task, { kind: "unknown", reason }, 0)));
}

async function checkTasks(
  session: HostSession,
  tasks: readonly Task[],
  answers: readonly (readonly RawAnswer[])[],
  context: EnsureContext,
  review: Review | undefined,
): Promise<readonly TaskResult[]> {
  const judged = tasks.map((task, index) => {
    const pending = context.pending() || session.predicted.size > 0;
    const judgement = reviewed(review, index, foresee(session, task, answers[index] ?? [], pending));
    if (judgement.kind === "act") remember(session, task, judgement);
    return { task, judgement };
  });
  const texts = await askDocuments(session, judged, context);
  const results = [];
  for (const { task, judgement } of judged) {
    if (judgement.kind === "error") throw reportFailure(session, task, judgement.error, context);
    results.push(session.report(result(session, task, judgement, 0, texts.get(task))));
  }
  return results;
}

function remember(session: HostSession, task: Task, judgement: Extract<Judgement, { kind: "act" }>): void {
  if (task.gate) return;
  const prediction = { task: task.name, module: task.module, id: task.id, state: judgement.assessment.wanted };
  for (const resource of judgement.assessment.touches()) session.predicted.set(resource, prediction);
  session.foresight.expect(judgement.assessment);
}

async function applyTasks(
  session: HostSession,
  tasks: readonly Task[],
  first: readonly (readonly RawAnswer[])[],
  context: EnsureContext,
  review: Review | undefined,
): Promise<readonly TaskResult[]> {
  const results: TaskResult[] = [];
  let rest = tasks;
  let answers = first;
  let stuck: { task: Task; judgement: Judgement; rounds: number } | undefined;
  while (rest.length > 0) {
    const done = tasks.length - rest.length;
    const planned = planAll(session, rest, answers, review && ((index, judgement) => review(done + index, judgement)));
    const start = planned.findIndex(({ judgement }) => judgement.kind !== "ok");
    const failed = planned.find(({ judgement }) => judgement.kind === "error");
    if (failed?.judgement.kind === "error") throw reportFailure(session, failed.task, failed.judgement.error, context);
    const settled = start < 0 ? planned : planned.slice(0, start);
    results.push(...settled.map(({ task, judgement }) => session.report(result(session, task, judgement, 0))));
    if (start < 0) break;

    const todo = planned.slice(start);
    const texts = await askDocuments(session, todo, context);
    const applied = await applyScript(session, todo, {
      careful: isStuck(stuck, todo[0]),
      emit: context.emit,
      user: context.user,
    });
    for (const [index, entry] of todo.slice(0, applied.reached).entries()) {
      const error = verify(session, entry, applied.answers[index] ?? []);
      if (error !== undefined) throw reportFailure(session, entry.task, error, context, applied.ms[index]);
      results.push(
        session.report(result(session, entry.task, entry.judgement, applied.ms[index] ?? 0, texts.get(entry.task))),
      );
    }
    const halted = todo[applied.reached];
    if (halted === undefined) break;
    if (applied.error !== undefined) {
      throw reportFailure(session, halted.task, applied.error, context, applied.ms[applied.reached]);
    }
    stuck = countRounds(stuck, applied.reached, halted);
    rest = todo.slice(applied.reached).map(({ task }) => task);
    answers = applied.answers.slice(applied.reached);
  }
  return results;
}

type Stuck = { task: Task; judgement: Judgement; rounds: number };

/** The first task of a new round stopped the last one too, and reads the same: only its question's text moves. */
function isStuck(stuck: Stuck | undefined, first: PlannedTask | undefined): boolean {
  if (stuck === undefined || first === undefined || stuck.task !== first.task) return false;
  const [before, now] = [stuck.judgement, first.judgement];
  return before.kind === "act" && now.kind === "act" && equalValues(before.assessment.current, now.assessment.current);
}

function countRounds(stuck: Stuck | undefined, reached: number, halted: PlannedTask): Stuck {
  const rounds = reached === 0 && stuck?.task === halted.task ? stuck.rounds + 1 : 1;
  if (rounds > MAX_ROUNDS_WITHOUT_PROGRESS) {
    throw new BugError(`the question of ${halted.task.name} gives another answer each time it is asked`, {
      where: halted.task.where,
      hint: "print only what matters in that module's probe, in a fixed order",
    });
  }
  return { task: halted.task, judgement: halted.judgement, rounds };
}

/** The text diffs of what differs, in one round trip, or in none where nobody asked or no text differs. */
async function askDocuments(
  session: HostSession,
  judged: readonly { task: Task; judgement: Judgement }[],
  context: EnsureContext,
): Promise<ReadonlyMap<Task, string>> {
  const texts = new Map<Task, string>();
  if (!context.diff) return texts;
  const differing = judged.flatMap(({ task, judgement }) =>
    judgement.kind === "act" && task.document !== undefined ? [{ task, document: task.document }] : [],
  );
  const shown = differing.filter(({ document }) => !(document.wanted instanceof Secret));
  const answers = await session.ask(
    shown.map(({ document }) => document.probe),
    { user: context.user, tasks: shown.map(({ task }) => task) },
  );
  for (const [index, { task, document }] of shown.entries()) {
    const before = document.probe.parse(toOutputs(answers[index] ?? []));
    const after = document.wanted;
    if (!(after instanceof Secret)) texts.set(task, unifiedDiff(task.id, before, after));
  }
  for (const { task, document } of differing) {
    if (document.wanted instanceof Secret) texts.set(task, "(the content holds a secret and is not shown)\n");
  }
  return texts;
}

function result(session: HostSession, task: Task, judgement: Judgement, ms: number, textDiff?: string): TaskResult {
  const differs = judgement.kind === "act" && !task.gate;
  return {
    host: session.name,
    task: task.name,
    module: task.module,
    id: task.id,
    outcome: outcomeOf(task, judgement),
    changes: differs ? diffStates(judgement.assessment.current, judgement.assessment.wanted) : [],
    ...(differs && textDiff !== undefined && textDiff !== "" ? { textDiff } : {}),
    ...("reason" in judgement ? { reason: judgement.reason } : {}),
    ...(task.where === undefined ? {} : { where: task.where }),
    ms,
  };
}

function outcomeOf(task: Task, judgement: Judgement): Outcome {
  switch (judgement.kind) {
    case "act":
      return task.gate ? "ok" : "changed";
    case "later":
    case "unknown":
      return "unknown";
    case "error":
      return "failed";
    default:
      return judgement.kind;
  }
}

function reportFailure(session: HostSession, task: Task, error: KbError, { handled }: EnsureContext, ms = 0): KbError {
  session.report({
    host: session.name,
    task: task.name,
    module: task.module,
    id: task.id,
    outcome: "failed",
    changes: [],
    reason: error.message,
    ...(handled === undefined || !isHandleable(error) ? {} : { handled }),
    ...(task.where === undefined ? {} : { where: task.where }),
    ms,
  });
  return error;
}

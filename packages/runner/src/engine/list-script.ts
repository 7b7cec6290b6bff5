import type { WriteAction } from "../action.ts";
import { type RenderedAction, renderAction } from "./actions.ts";
import { guardsOf, sha256 } from "./compile.ts";
import type { Judgement } from "./judge.ts";
import type { PlannedTask } from "./plan.ts";
import { renderAnswered, renderGuard, renderRun } from "./render.ts";
import { isGroupable, renderContent, renderWrite, renderWriteGroup, type WriteInGroup } from "./write.ts";

/** How a list is made into a script. */
export interface ListScriptOptions {
  /**
   * Goes carefully: each task by itself, and the first without a test of its ground. For a task whose question gives
   * another text each time although it reads as the same state: tested, it would never come to its turn.
   */
  readonly careful: boolean;
}

/** A list of tasks as one script. Frames of actions are named `aTASK.ACTION`, or `aTASK+COUNT` for files written together. */
export interface ListScript {
  readonly text: string;
  /** The actions by their frames' names. */
  readonly steps: ReadonlyMap<string, RenderedAction>;
}

/** So many files are written together at most: their names are arguments of one program (execve(2), E2BIG). */
const MOST_TOGETHER = 1000;

/**
 * For each task in order: asks its questions again, acts where they still get the answers that the decision was made
 * from, and stops otherwise. Neighbours that need nothing, or whose whole files are replaced, are taken together.
 */
export function renderList(planned: readonly PlannedTask[], { careful }: ListScriptOptions): ListScript {
  const steps = new Map<string, RenderedAction>();
  const lines: string[] = [];
  let index = 0;
  while (index < planned.length) {
    const together = careful ? planned.slice(index, index + 1) : takeTogether(planned, index);
    lines.push(`kb_free && [ -e "$KB_STOP" ] && kb_halt ${index} interrupted`);
    if (together[0]?.judgement.kind === "later") {
      lines.push(`kb_halt ${index} later`);
      break;
    }
    const asked = together.map(({ task, answers }) => ({ probe: task.probe, answers }));
    for (const guard of careful && index === 0 ? [] : guardsOf(asked)) {
      lines.push(`! kb_free || { kb_mark "p ${index}"; ${renderGuard(guard, sha256)}; } || kb_halt ${index} stale`);
    }
    lines.push(...renderTogether(together, index, steps));
    index += together.length;
  }
  return { text: lines.join("\n"), steps };
}

/**
 * The tasks from one on that may be asked together and then be done together: none of them is planned from what another
 * of them does.
 */
function takeTogether(planned: readonly PlannedTask[], first: number): readonly PlannedTask[] {
  const paths = new Set<string>();
  let end = first;
  for (; end < planned.length && paths.size < MOST_TOGETHER; end += 1) {
    const entry = planned[end];
    const path = entry === undefined ? undefined : soleWrite(entry.judgement)?.path;
    const joins = entry?.judgement.kind === "ok" || (path !== undefined && !paths.has(path) && isAskedInBatches(entry));
    if (!joins || (entry?.foreseen === true && paths.size > 0)) break;
    if (path !== undefined) paths.add(path);
  }
  return planned.slice(first, Math.max(end, first + 1));
}

function soleWrite(judgement: Judgement): WriteAction | undefined {
  if (judgement.kind !== "act") return undefined;
  const [action, ...others] = judgement.actions;
  return others.length === 0 && action?.kind === "write" && isGroupable(action) ? action : undefined;
}

/** A question that is a script of its own may look at anything, at its neighbours' files too. */
function isAskedInBatches(entry: PlannedTask | undefined): boolean {
  return entry?.task.probe.questions.every(({ kind }) => kind === "batch") === true;
}

function renderTogether(
  together: readonly PlannedTask[],
  index: number,
  steps: Map<string, RenderedAction>,
): readonly string[] {
  const writes = together.flatMap(({ judgement }, offset): (WriteInGroup & { index: number })[] => {
    const action = soleWrite(judgement);
    return action === undefined ? [] : [{ action, content: `kb_c${index + offset}`, index: index + offset }];
  });
  if (writes.length > 1) return renderWrites(writes, steps);
  return together.flatMap(({ judgement }, offset) =>
    judgement.kind === "act" ? renderActions(index + offset, judgement.actions.map(renderAction), steps) : [],
  );
}

function renderActions(
  index: number,
  actions: readonly RenderedAction[],
  steps: Map<string, RenderedAction>,
): readonly string[] {
  return actions.flatMap((action, number) => {
    const id = `a${index}.${number}`;
    steps.set(id, action);
    const run = `! kb_free || { ${renderRun(id, action.script, "kb_act")}; } || kb_halt ${index} failed`;
    return action.define === "" ? [run] : [action.define, run];
  });
}

/** Together, in a few processes; where that fails for whatever reason, one by one, so that the reason is told. */
function renderWrites(
  writes: readonly (WriteInGroup & { readonly index: number })[],
  steps: Map<string, RenderedAction>,
): readonly string[] {
  const [first] = writes;
  const last = writes.at(-1);
  if (first === undefined || last === undefined) return [];
  const id = `a${first.index}+${last.index - first.index + 1}`;
  const one = writes.map(({ action }) => renderAction(action));
  steps.set(id, {
    ...{ define: "", script: { script: renderWrite(first) } },
    timeoutMs: Math.max(...one.map(({ timeoutMs }) => timeoutMs)),
    what: `write ${writes.length} files, ${first.action.path} first`,
  });
  const alone = writes.flatMap((write) => {
    const what = `write ${write.action.path}`;
    const action = {
      define: "",
      script: { script: renderWrite(write) },
      timeoutMs: renderAction(write.action).timeoutMs,
      what,
    };
    return renderActions(write.index, [action], steps);
  });
  return [
    ...writes.map(({ action, content }) => renderContent(content, action.content)),
    `! kb_free || { ${renderAnswered(id, renderWriteGroup(writes))}; } || {\n${alone.join("\n")}\n}`,
  ];
}

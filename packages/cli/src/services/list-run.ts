import { EXIT, type KbError, type ListedTask, listTasks, type RunEvent } from "@keybuzz/runner";
import { errorLines } from "../reporters/error-lines.ts";
import { hostLines, tagLines, taskLines } from "../reporters/list-lines.ts";
import type { Reporter } from "../reporters/reporter.ts";
import { makePaint, wantsColours } from "../reporters/style.ts";
import { prepareReach } from "./connection.ts";
import { type PlayRequest, prepareRun } from "./play.ts";
import { printJson, printLines } from "./print.ts";
import type { Run } from "./run-playbook.ts";

/** What is to be listed. */
export interface ListRequest {
  readonly what: readonly ("hosts" | "tasks" | "tags")[];
  readonly json: boolean;
  readonly verbose: boolean;
}

/** The hosts of one of a playbook's groups. */
export interface ListedGroup {
  readonly group: string;
  readonly hosts: readonly string[];
}

/** A tag, with the number of tasks that have it. */
export interface ListedTag {
  readonly tag: string;
  readonly tasks: number;
}

/**
 * Lists what a run would be about, and changes nothing. Tasks are found by playing the playbook without carrying them
 * out: its own questions are asked, and only hosts that it asks are connected to.
 * @returns 0; else the exit code of what kept the list from being whole
 */
export async function listRun(request: PlayRequest, { what, json, verbose }: ListRequest): Promise<number> {
  const silent: Reporter = { emit: () => {}, suspend: () => () => {}, close: () => {} };
  const { run } = await prepareRun({ ...request, check: true, step: false }, silent);
  const wantsTasks = what.includes("tasks") || what.includes("tags");
  const found = wantsTasks ? await findTasks(run) : { tasks: [], errors: [], exitCode: EXIT.converged };
  const groups = groupsOf(run);
  const tags = tagsOf(found.tasks);
  if (json) {
    printJson({
      version: 1,
      playbook: run.playbook.name,
      ...(what.includes("hosts") ? { groups } : {}),
      ...(what.includes("tasks") ? { tasks: found.tasks } : {}),
      ...(what.includes("tags") ? { tags } : {}),
      ...(wantsTasks ? { errors: found.errors } : {}),
    });
    return found.exitCode;
  }
  printLines((paint) => [
    ...(what.includes("hosts") ? hostLines(run.playbook.name, groups, paint) : []),
    ...(what.includes("tasks") ? taskLines(run.playbook.name, found.tasks, paint) : []),
    ...(what.includes("tags") ? tagLines(run.playbook.name, tags, paint) : []),
  ]);
  showErrors(found.errors, verbose);
  return found.exitCode;
}

async function findTasks(run: Run): Promise<{
  readonly tasks: readonly ListedTask[];
  readonly errors: readonly KbError[];
  readonly exitCode: number;
}> {
  const reach = await prepareReach(run.connection, () => () => {});
  const errors: KbError[] = [];
  const { tasks, exitCode } = await listTasks(run.playbook, {
    inventory: run.inventory,
    params: run.params,
    directory: run.directory,
    ...reach,
    ...(run.limit === undefined ? {} : { limit: run.limit }),
    ...(run.forks === undefined ? {} : { forks: run.forks }),
    ...(run.select === undefined ? {} : { select: run.select }),
    emit: (event: RunEvent) => {
      if ("error" in event && event.type !== "failure-handled") errors.push(event.error);
    },
  });
  return { tasks, errors, exitCode };
}

function groupsOf({ playbook, inventory, limit }: Run): readonly ListedGroup[] {
  const names = [...Object.keys(playbook.groups), ...Object.keys(playbook.optionalGroups)];
  return names.map((group) => ({
    group,
    hosts: (inventory.groups.get(group)?.hosts ?? []).filter((host) => limit?.includes(host) ?? true),
  }));
}

function tagsOf(tasks: readonly ListedTask[]): readonly ListedTag[] {
  const counts = new Map<string, number>();
  for (const tag of tasks.flatMap((task) => task.tags)) counts.set(tag, (counts.get(tag) ?? 0) + 1);
  return [...counts].map(([tag, count]) => ({ tag, tasks: count })).sort((a, b) => a.tag.localeCompare(b.tag));
}

function showErrors(errors: readonly KbError[], verbose: boolean): void {
  if (errors.length === 0) return;
  const paint = makePaint(wantsColours(process.stderr, process.env));
  const lines = [
    "",
    paint("bad", "the list is not whole:"),
    ...errors.flatMap((error) => errorLines(error, paint, { verbose })),
  ];
  process.stderr.write(lines.map((line) => `${line}\n`).join(""));
}

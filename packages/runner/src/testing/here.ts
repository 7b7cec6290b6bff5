import { join } from "node:path";
import * as z from "zod";
import type { Action } from "../action.ts";
import type { KbError } from "../errors.ts";
import type { RunEvent, TaskResult } from "../events.ts";
import type { Hosts } from "../hosts.ts";
import { defineModule, type Task } from "../module.ts";
import { definePlaybook } from "../playbook.ts";
import { ask, askBatch, type Batch, foreseen } from "../probe.ts";
import { play, type RunReport } from "../run.ts";
import { sh } from "../sh.ts";
import { makeConnect } from "../transport/connect.ts";
import type { Connect } from "../transport/transport.ts";
import { localInventory } from "./local-inventory.ts";

/** What a run on this machine did and told. */
export interface PlayedHere extends RunReport {
  readonly events: readonly RunEvent[];
  readonly results: readonly TaskResult[];
  readonly trips: number;
  /** The error that took the host out of the run. */
  readonly failure: KbError | undefined;
}

/** How a run on this machine is made. */
export interface HereOptions {
  readonly mode?: "check" | "apply";
  readonly connect?: Connect;
  readonly interrupt?: AbortSignal;
  readonly onEvent?: (event: RunEvent) => void;
}

/**
 * Plays on this machine, as one host: real shells, and no mock. The lock is one of the folder's own, since other tests play
 * on this machine too.
 */
export async function playHere(
  folder: string,
  work: (hosts: Hosts<unknown>) => Promise<unknown>,
  options: HereOptions = {},
): Promise<PlayedHere> {
  const events: RunEvent[] = [];
  const playbook = definePlaybook({
    name: "here",
    summary: "test",
    groups: { all: z.object({}) },
    async run({ all }) {
      await work(all);
    },
  });
  const report = await play(playbook, {
    inventory: localInventory(["here"]),
    mode: options.mode ?? "apply",
    connect: options.connect ?? makeConnect(),
    lockFolder: folder,
    emit: (event) => {
      events.push(event);
      options.onEvent?.(event);
    },
    ...(options.interrupt === undefined ? {} : { interrupt: options.interrupt }),
  });
  const results = events.flatMap((event) => (event.type === "task-end" ? [event.result] : []));
  const failure = events.flatMap((event) => (event.type === "host-failed" ? [event.error] : []))[0];
  return { ...report, events, results, failure, trips: report.recap[0]?.roundTrips ?? -1 };
}

/** {@link playHere} of one list. */
export async function ensureHere(
  folder: string,
  tasks: () => readonly Task[],
  options: HereOptions = {},
): Promise<PlayedHere> {
  return playHere(folder, (hosts) => hosts.ensure(tasks), options);
}

/** Texts of files in one script: a line `+TEXT` or `-` a file, so texts of one line each. */
const LINES: Batch = {
  name: "test-lines",
  render: (paths) => ({
    script: sh`for kb_path in ${paths}; do if [ -e "$kb_path" ]; then printf '+%s\n' "$(cat "$kb_path")"; else echo -; fi; done`,
  }),
  split: (stdout, paths) => {
    const lines = stdout.split("\n");
    return paths.map((_, index) => `${lines[index] ?? ""}\n`);
  },
};

const pathParam = z.string().describe("path");

/** A file of one line, asked for together with others. */
export const line = defineModule({
  name: "line",
  summary: "A file that holds one line",
  params: z.strictObject({ path: pathParam, text: z.string().describe("its line") }),
  id: ({ path }) => path,
  probe: ({ path }) => askBatch(LINES, path, ({ stdout }) => (stdout === "-\n" ? null : { text: stdout.slice(1, -1) })),
  desired: ({ text }) => ({ text: text }),
  plan: ({ params: { path, text } }) => [{ kind: "write", path: path, content: `${text}\n`, mode: "0644" }],
  touches: ({ path }) => [`file:${path}`],
});

/** Adds a word to a file's line, unless it is there: many tasks may edit one file. */
export const word = defineModule({
  name: "word",
  summary: "A word in a file that holds one line",
  params: z.strictObject({ path: pathParam, word: z.string().describe("the word") }),
  id: ({ path, word: added }) => `${added} in ${path}`,
  probe: ({ path }) => askBatch(LINES, path, ({ stdout }) => (stdout === "-\n" ? null : { text: stdout.slice(1, -1) })),
  desired: ({ word: added }, current) => {
    const words = (current?.text ?? "").split(" ").filter(Boolean);
    return { text: words.includes(added) ? words.join(" ") : [...words, added].join(" ") };
  },
  plan: ({ params: { path }, wanted }) => [
    { kind: "write", path: path, content: `${wanted?.text ?? ""}\n`, mode: "0644" },
  ],
  touches: ({ path }) => [`file:${path}`],
  leaves: ({ params: { path }, wanted }) => [foreseen(LINES, path, () => `+${wanted?.text ?? ""}\n`)],
});

/** Actions that are carried out unless a file exists. */
export const doOnce = defineModule({
  name: "do_once",
  summary: "Carries out actions unless a file exists",
  params: z.strictObject({
    done: z.string().describe("the file"),
    actions: z.custom<readonly [Action, ...Action[]]>().describe("the actions"),
  }),
  id: ({ done }) => done,
  probe: ({ done }) =>
    ask(sh`if [ -e ${done} ]; then echo yes; fi`, ({ stdout }) => (stdout === "yes\n" ? { done: true } : null)),
  desired: () => ({ done: true }),
  plan: ({ params }) => params.actions,
});

/** `ID OUTCOME` of each result, without the folder's name. */
export function outcomesOf({ results }: PlayedHere, folder: string): readonly string[] {
  return results.map(({ id, outcome }) => `${id.replace(join(folder, "/"), "")} ${outcome}`);
}

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { exec } from "../action.ts";
import type { RunEvent, TaskResult } from "../events.ts";
import type { Hosts } from "../hosts.ts";
import { defineModule } from "../module.ts";
import { definePlaybook, type Play } from "../playbook.ts";
import { ask } from "../probe.ts";
import { type PlayOptions, play, type RunReport } from "../run.ts";
import { quoteShell, type Sh, sh } from "../sh.ts";
import { makeConnect } from "../transport/connect.ts";
import type { Connect } from "../transport/transport.ts";
import { localInventory } from "./local-inventory.ts";

/** A script in the folder of the host that it runs on. */
export function at(script: Sh): Sh {
  return sh`cd "$KB_TEST_HOST" && ${script}`;
}

/** A file that has to exist, made by a script: the smallest module that a test can make fail. */
export const made = defineModule({
  name: "made",
  summary: "A file of the host's own that exists once a script has run",
  params: z.strictObject({
    name: z.string().describe("file name"),
    by: z.custom<Sh>().optional().describe("script, run in the host's folder; makes the file unless given"),
  }),
  id: ({ name }) => name,
  probe: ({ name }) => ask(at(sh`[ -e ${name} ]`), ({ exitCode }) => (exitCode === 0 ? { made: true } : null)),
  desired: () => ({ made: true }),
  plan: ({ params: { name, by } }) => [exec(at(by ?? sh`: >${name}`))],
});

/** A gate: awaits a script's exit code 0. */
export const holds = defineModule({
  name: "holds",
  summary: "Awaits a test",
  gate: true,
  params: z.strictObject({ test: z.custom<Sh>().describe("test"), timeoutMs: z.int().default(1000).describe("limit") }),
  id: ({ test }) => test.text,
  probe: ({ test }) => ask(at(test), ({ exitCode }) => ({ met: exitCode === 0 })),
  desired: () => ({ met: true }),
  plan: ({ params: { test, timeoutMs } }) => [
    { kind: "wait", what: "the test", until: at(test), timeoutMs, intervalMs: 20 },
  ],
});

/** The group of hosts of a played test, with a var to group them by. */
export type Fleet = Hosts<{ readonly cluster: string }>;

/** What a test played, and what came of it. */
export interface PlayedFleet extends RunReport {
  readonly events: readonly RunEvent[];
  readonly results: readonly TaskResult[];
}

/**
 * Plays a procedure on hosts that are all this machine, each a real shell with a folder of its own ({@link at}). The part of a host's name before the dash is its var `cluster`.
 * @param folder where the hosts' folders are made
 */
export async function playFleet(
  folder: string,
  names: readonly string[],
  procedure: (fleet: Fleet, run: Play<unknown>) => Promise<void>,
  options: Partial<PlayOptions> = {},
): Promise<PlayedFleet> {
  const events: RunEvent[] = [];
  const playbook = definePlaybook({
    name: "fleet",
    summary: "a test",
    groups: { all: z.object({ cluster: z.string() }) },
    run: ({ all }, run) => procedure(all, run),
  });
  const emit = options.emit ?? (() => {});
  const report = await play(playbook, {
    inventory: localInventory(names, (name) => ({ cluster: name.replace(/-.*$/, "") })),
    mode: "apply",
    connect: connectIn(folder),
    lockFolder: (host) => join(folder, host),
    ...options,
    emit: (event) => {
      events.push(event);
      emit(event);
    },
  });
  const results = events.flatMap((event) => (event.type === "task-end" ? [event.result] : []));
  return { ...report, events, results };
}

function connectIn(folder: string): Connect {
  const connect = makeConnect();
  return async (target) => {
    const connection = await connect(target);
    const own = join(folder, target.name);
    mkdirSync(own, { recursive: true });
    return {
      ...connection,
      start: (command) => connection.start(`export KB_TEST_HOST=${quoteShell(own)}; ${command}`),
    };
  };
}

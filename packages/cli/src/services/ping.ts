import { ask, definePlaybook, matchHosts, type Probe, sh, type TableRow } from "@keybuzz/runner";
import * as z from "zod";
import type { Reporter } from "../reporters/reporter.ts";
import type { ConnectionRequest } from "./connection.ts";
import { openInventory } from "./play.ts";
import { runPlaybook } from "./run-playbook.ts";

/** `kb ping`, as its command line was. */
export interface PingRequest {
  readonly pattern: string;
  readonly inventory: string | undefined;
  readonly forks: number | undefined;
  readonly connection: ConnectionRequest;
  readonly directory: string;
}

interface Identity {
  readonly user: string;
  readonly os: string;
}

/** Who we are there after sudo, and what the host runs. @see https://www.freedesktop.org/software/systemd/man/os-release.html */
const identity: Probe<Identity> = ask(
  sh`id -un && ( . /etc/os-release && printf '%s\n' "$PRETTY_NAME" )`,
  ({ stdout, stderr, exitCode }) => {
    const [user = "", os = ""] = stdout.split("\n");
    if (exitCode !== 0 || user === "") throw new Error(`cannot tell who and where we are: ${stderr.trim()}`);
    return { user, os };
  },
);

/** Connects to each host and shows how long that took, as whom, and what answered. */
export async function ping(request: PingRequest, reporter: Reporter): Promise<number> {
  const inventory = await openInventory(request.inventory, request.directory, reporter);
  const connectMs = new Map<string, number>();
  const watching: Reporter = {
    ...reporter,
    emit(event) {
      if (event.type === "host-connected") connectMs.set(event.host, event.ms);
      reporter.emit(event);
    },
  };
  const playbook = definePlaybook({
    name: "ping",
    summary: "Connects to each host",
    groups: { all: z.object({}) },
    async run({ all }, play) {
      const answers = await all.probe(identity);
      const rows = answers.map(({ host, value }): TableRow => {
        const ms = Math.round(connectMs.get(host.name) ?? 0);
        return { status: "ok", cells: [host.name, host.address, `${ms} ms`, value.user, value.os] };
      });
      if (rows.length > 0) play.table("reachable", ["host", "address", "connected in", "as", "system"], rows);
    },
  });
  return runPlaybook(
    {
      playbook,
      inventory,
      mode: "check",
      diff: false,
      limit: matchHosts(inventory, request.pattern),
      forks: request.forks,
      params: {},
      directory: request.directory,
      connection: request.connection,
      driftIsExit: false,
    },
    watching,
  );
}

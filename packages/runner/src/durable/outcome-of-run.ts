import type { KbError } from "../errors.ts";
import type { RunEvent, TaskResult } from "../events.ts";

/** What became of a host in a run: `unfinished` where the run was over, or the process gone, before the playbook's end. */
export type HostOutcome = "done" | "failed" | "unreachable" | "unfinished";

/** A host of a recorded run. */
export interface RecordedHost {
  readonly host: string;
  /** False for one that the run had besides those it was for: the controller. */
  readonly chosen: boolean;
  readonly outcome: HostOutcome;
  /** Tasks that changed something, or in check mode would. */
  readonly changed: readonly TaskResult[];
  readonly error: KbError | undefined;
  /** The task that it was at when the record ends. */
  readonly at: string | undefined;
}

/** What became of a run, from its events. */
export interface RunOutcome {
  readonly hosts: readonly RecordedHost[];
  /** Why the playbook itself stopped. */
  readonly error: KbError | undefined;
  /** Whether the playbook came to its end. */
  readonly complete: boolean;
}

interface Followed {
  readonly changed: TaskResult[];
  error: KbError | undefined;
  unreachable: boolean;
  at: string | undefined;
}

/** What the events of a run, whole or torn off, say of its hosts. Hosts that were only asked are left out. */
export function outcomeOfRun(events: readonly RunEvent[]): RunOutcome {
  const chosen = events.flatMap((event) => (event.type === "run-start" ? event.hosts : []));
  const hosts = new Map<string, Followed>();
  const follow = (name: string): Followed => {
    const known = hosts.get(name) ?? { changed: [], error: undefined, unreachable: false, at: undefined };
    hosts.set(name, known);
    return known;
  };
  for (const name of chosen) follow(name);
  for (const event of events) {
    if (event.type === "task-start") follow(event.host).at = event.task;
    else if (event.type === "task-end") {
      const host = follow(event.result.host);
      host.at = undefined;
      if (event.result.outcome === "changed") host.changed.push(event.result);
    } else if (event.type === "host-failed" || event.type === "host-unreachable") {
      const host = follow(event.host);
      host.error = event.error;
      host.unreachable = event.type === "host-unreachable";
    }
  }
  const error = events.find((event) => event.type === "run-failed")?.error;
  const complete = events.some(({ type }) => type === "run-end") && error === undefined;
  return {
    hosts: [...hosts].map(([host, followed]) => ({
      host,
      chosen: chosen.includes(host),
      outcome: outcomeOf(followed, complete),
      changed: followed.changed,
      error: followed.error,
      at: followed.at,
    })),
    error,
    complete,
  };
}

function outcomeOf({ error, unreachable }: Followed, complete: boolean): HostOutcome {
  if (unreachable) return "unreachable";
  if (error !== undefined) return error.code === "interrupted" ? "unfinished" : "failed";
  return complete ? "done" : "unfinished";
}

import { EXIT, type KbError, PlaybookError, type RunEvent, type TaskResult } from "@keybuzz/runner";
import type { Reporter } from "../reporters/reporter.ts";
import { listPlaybooks } from "./find-playbook.ts";
import { type PlayRequest, prepareRun } from "./play.ts";
import { runPlaybook } from "./run-playbook.ts";

/** `kb verify`, as its command line was. */
export interface VerifyRequest extends Omit<PlayRequest, "playbook" | "check" | "diff" | "exitCode"> {
  /** `site`, or the only playbook there is, unless given. */
  readonly playbook: string | undefined;
}

/** A task that finds its host otherwise than declared, or cannot know before another such task is carried out. */
export interface Drift {
  readonly task: string;
  readonly module: string;
  readonly id: string;
  readonly where: string | undefined;
  readonly outcome: "changed" | "unknown";
  readonly reason: string | undefined;
  readonly changes: TaskResult["changes"];
}

/** What was found on one host. The gravest word counts: unreachable, failed, drift, in sync. */
export interface VerifiedHost {
  readonly host: string;
  readonly status: "in-sync" | "drift" | "failed" | "unreachable";
  /** Tasks that find their host as declared. */
  readonly ok: number;
  readonly drift: readonly Drift[];
  readonly error: KbError | undefined;
}

/** What `kb verify --json` prints. Fields may be added to it without a new version. */
export interface VerifyReport {
  readonly version: 1;
  readonly playbook: string;
  readonly inventory: string;
  readonly startedAt: string;
  readonly ms: number;
  readonly exitCode: number;
  readonly hosts: readonly VerifiedHost[];
  /** Why the playbook stopped before its end. */
  readonly error: KbError | undefined;
}

const DEFAULT_PLAYBOOK = "site";

/**
 * Holds hosts against a playbook, and changes nothing. No journal is kept: this may run every minute.
 * @throws UsageError before any connection is made
 */
export async function verify(request: VerifyRequest): Promise<VerifyReport> {
  const startedAt = new Date().toISOString();
  const events: RunEvent[] = [];
  const listening: Reporter = {
    emit: (event) => void events.push(event),
    suspend: () => () => {},
    close: () => {},
  };
  const playbook = request.playbook ?? defaultPlaybook(request.directory);
  const { run } = await prepareRun({ ...request, playbook, check: true, diff: false, exitCode: true }, listening);
  const exitCode = await runPlaybook(run, listening);
  const end = events.find((event) => event.type === "run-end");
  return {
    version: 1,
    playbook: run.playbook.name,
    inventory: run.inventory.file,
    startedAt,
    ms: Math.round(end?.ms ?? 0),
    exitCode,
    hosts: hostsOf(events),
    error: events.find((event) => event.type === "run-failed")?.error,
  };
}

function defaultPlaybook(directory: string): string {
  const known = listPlaybooks(directory);
  const [only] = known;
  if (known.includes(DEFAULT_PLAYBOOK)) return DEFAULT_PLAYBOOK;
  if (only !== undefined && known.length === 1) return only;
  throw new PlaybookError(`there is no playbook ${DEFAULT_PLAYBOOK} to verify`, {
    hint: known.length === 0 ? "name one: kb verify PLAYBOOK" : `name one: ${known.join(", ")}`,
  });
}

/** What the events of a check run say of each host. */
export function hostsOf(events: readonly RunEvent[]): readonly VerifiedHost[] {
  const results = events.flatMap((event) => (event.type === "task-end" ? [event.result] : []));
  const recap = events.find((event) => event.type === "run-end")?.recap ?? [];
  return recap.map(({ host, ok, unreachable, failed }): VerifiedHost => {
    const drift = results.filter((result) => result.host === host).flatMap(driftOf);
    const left = events.find(
      (event) => (event.type === "host-failed" || event.type === "host-unreachable") && event.host === host,
    );
    const found = drift.length > 0 ? "drift" : "in-sync";
    return {
      host,
      status: unreachable ? "unreachable" : failed > 0 ? "failed" : found,
      ok,
      drift,
      error: left !== undefined && "error" in left ? left.error : undefined,
    };
  });
}

function driftOf({ task, module, id, where, outcome, reason, changes }: TaskResult): readonly Drift[] {
  return outcome === "changed" || outcome === "unknown" ? [{ task, module, id, where, outcome, reason, changes }] : [];
}

/** Whether anything is to be told of. */
export function isInSync({ exitCode }: VerifyReport): boolean {
  return exitCode === EXIT.converged;
}

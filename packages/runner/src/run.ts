import { hostname, userInfo } from "node:os";
import pLimit from "p-limit";
import { type BoundGroup, bindGroups, bindParams } from "./bind.ts";
import type { LockRequest } from "./engine/render.ts";
import { HostSession, type SessionContext } from "./engine/session.ts";
import { BugError, EXIT, HostError, InterruptedError, KbError, PlaybookError, TasksFailedError } from "./errors.ts";
import { type Emit, EVENT_VERSION, type HostRecap } from "./events.ts";
import { type Confirm, makeConfirm } from "./fleet/confirm.ts";
import type { TaskListing } from "./fleet/listing.ts";
import type { Member, RunScope } from "./fleet/member.ts";
import { makePhase } from "./fleet/phase.ts";
import { Selection, type TaskSelection } from "./fleet/selection.ts";
import { Hosts } from "./hosts.ts";
import type { ConnectionDefaults, Inventory } from "./inventory/inventory.ts";
import { targetOf } from "./inventory/target.ts";
import type { Overseer } from "./overseer.ts";
import type { Play, Playbook } from "./playbook.ts";
import type { Rehearsal } from "./rehearsal.ts";
import { withSecrets } from "./secrets/for-run.ts";
import type { ResolveSecret } from "./secrets/resolve.ts";
import type { Connect, Target } from "./transport/transport.ts";

/** What a run is asked to do. */
export interface PlayOptions {
  readonly inventory: Inventory;
  /** `check` tells what `apply` would change, and changes nothing. */
  readonly mode: "check" | "apply";
  readonly connect: Connect;
  readonly emit: Emit;
  readonly diff?: boolean;
  /** Names of the hosts to work on; all that the playbook's groups have unless given. */
  readonly limit?: readonly string[];
  /** Hosts at once, 50 unless given. */
  readonly forks?: number;
  /** Values of `-e NAME=VALUE`. */
  readonly params?: Readonly<Record<string, string>>;
  readonly defaults?: ConnectionDefaults;
  /** Gives the secrets that the inventory names; files from the working directory, asking nobody, unless given. */
  readonly resolveSecret?: ResolveSecret;
  /** Working directory for the playbook's relative paths; the process's own unless given. */
  readonly directory?: string;
  /** Folder of the lock file on each host; /run/lock unless given. Runs that name different ones do not see each other. */
  readonly lockFolder?: string | ((host: string) => string);
  /** Seconds without a sign of life after which another run's idle lock is broken, with a note; 300 unless given. */
  readonly lockTtlSeconds?: number;
  /** Takes the tasks in place of the hosts: nothing is connected to. See {@link rehearse}. */
  readonly rehearsal?: Rehearsal;
  /** Which of the tasks are carried out; all but those tagged `never` unless given. */
  readonly select?: TaskSelection;
  /** Takes the tasks in place of carrying them out; see {@link listTasks}. */
  readonly listing?: TaskListing;
  /** Asked before each task, which all hosts then do together; `continue` is yes, and no more questions. */
  readonly confirm?: Confirm;
  /** Sees every decision before anything comes of it. */
  readonly overseer?: Overseer;
  /** Aborting it stops each host before its next task. */
  readonly interrupt?: AbortSignal;
}

/** What became of a run. */
export interface RunReport {
  readonly exitCode: number;
  readonly recap: readonly HostRecap[];
  /** Set where the playbook itself stopped. */
  readonly error: KbError | undefined;
}

const DEFAULT_FORKS = 50;
const CONTROLLER = "controller";

/**
 * Plays a playbook against an inventory's hosts. Everything it has to tell goes through `emit`.
 * @throws UsageError for input that does not fit, before any connection is made
 */
export async function play(playbook: Playbook, asked: PlayOptions): Promise<RunReport> {
  const started = performance.now();
  const options = await withSecrets(playbook, asked);
  const bound = bindGroups(playbook, options.inventory);
  const params = bindParams(playbook, options.params ?? {});
  const sessions = openSessions(bound, options);
  const scope = makeScope(sessions, options);
  const chosen = [...sessions.values()].filter(({ name }) => isChosen(name, options));
  refuseNobody(chosen, options);
  options.emit({
    type: "run-start",
    version: EVENT_VERSION,
    playbook: playbook.name,
    mode: options.mode,
    hosts: chosen.map(({ name }) => name),
  });
  const error = await runGuarded(playbook, bound, sessions, scope, params, options);
  await settle(scope);
  await Promise.allSettled([...sessions.values()].map((session) => session.close()));
  if (error !== undefined) options.emit({ type: "run-failed", error });
  const recap = [...sessions.values()]
    .map((session) => session.recap())
    .filter((host) => chosen.some(({ name }) => name === host.host) || host.roundTrips > 0);
  const exitCode = exitCodeOf(recap, error, [...sessions.values()]);
  options.emit({ type: "run-end", exitCode, ms: performance.now() - started, recap });
  return { exitCode, recap, error };
}

function openSessions(bound: ReadonlyMap<string, BoundGroup>, options: PlayOptions): ReadonlyMap<string, HostSession> {
  const context: SessionContext = { emit: options.emit, connect: options.connect, lock: undefined };
  const names = new Set([...bound.values()].flatMap((group) => [...group.keys()]));
  const targets = [...names].flatMap((name): Target[] => {
    const host = options.inventory.hosts.get(name);
    return host === undefined ? [] : [targetOf(host, options.defaults ?? {}, options.inventory.hosts)];
  });
  const sessions = targets.map((target) => {
    // A host outside of the limit may be asked, never changed: it is not locked.
    const locked = options.mode === "apply" && isChosen(target.name, options);
    const lock = locked ? lockRequest(target.name, options) : undefined;
    return [target.name, new HostSession(target, { ...context, lock })] as const;
  });
  return new Map([...sessions, [CONTROLLER, new HostSession(controllerTarget(), context)]]);
}

function lockRequest(host: string, { lockFolder, lockTtlSeconds }: PlayOptions): LockRequest {
  const owner = `${userInfo().username}@${hostname()} (process ${process.pid}, since ${new Date().toISOString()})`;
  const ttl = lockTtlSeconds === undefined ? {} : { ttlSeconds: lockTtlSeconds };
  if (lockFolder === undefined) return { owner, ...ttl };
  return { owner, ...ttl, folder: typeof lockFolder === "function" ? lockFolder(host) : lockFolder };
}

function controllerTarget(): Target {
  const user = userInfo().username;
  return {
    name: CONTROLLER,
    address: "localhost",
    user,
    connection: "local",
    become: false,
    becomeUser: user,
  };
}

function isChosen(name: string, { limit }: PlayOptions): boolean {
  return name !== CONTROLLER && (limit === undefined || limit.includes(name));
}

function refuseNobody(chosen: readonly HostSession[], options: PlayOptions): void {
  if (chosen.length > 0) return;
  throw new PlaybookError("there is no host to work on", {
    detail: `none of the playbook's groups has a host in --limit (${options.limit?.join(", ") ?? "no limit"})`,
    hint: "kb inventory shows who is in which group",
  });
}

function makeScope(sessions: ReadonlyMap<string, HostSession>, options: PlayOptions): RunScope {
  const interrupted = options.interrupt ?? new AbortController().signal;
  interrupted.addEventListener("abort", () => {
    for (const session of sessions.values()) void session.stopSoon();
  });
  return {
    mode: options.mode,
    diff: options.diff ?? false,
    emit: options.emit,
    rehearsal: options.rehearsal,
    overseer: options.overseer,
    limit: pLimit(options.forks ?? DEFAULT_FORKS),
    interrupted,
    open: new Map(),
    turns: new Map(),
    selection: new Selection(options.select),
    listing: options.listing,
    confirm: options.confirm === undefined ? undefined : makeConfirm(options.confirm),
    pending: () => [...sessions.values()].some((session) => session.predicted.size > 0),
  };
}

async function runGuarded(
  playbook: Playbook,
  bound: ReadonlyMap<string, BoundGroup>,
  sessions: ReadonlyMap<string, HostSession>,
  scope: RunScope,
  params: Record<string, unknown>,
  options: PlayOptions,
): Promise<KbError | undefined> {
  const groups = Object.fromEntries(
    [...bound].map(([name, group]) => [name, makeHosts(group, sessions, scope, options)]),
  );
  try {
    await playbook.run(groups, makePlay(sessions, scope, params, options));
    const [left] = scope.open.keys();
    if (left !== undefined) {
      throw new BugError(`the playbook ${playbook.name} ended while ${left.replace(/ #.*$/, "")} was still going on`, {
        hint: "put an await before it",
      });
    }
    scope.selection.requireStarted();
    for (const text of scope.selection.unknownTags) options.emit({ type: "note", level: "warn", text });
    return undefined;
  } catch (error) {
    if (error instanceof TasksFailedError) {
      for (const failure of error.failures) sessions.get(failure.host)?.fail(failure.error);
    }
    if (error instanceof KbError) return error;
    return new BugError(error instanceof Error ? error.message : String(error), {
      cause: error,
      detail: error instanceof Error ? error.stack : undefined,
    });
  }
}

/** Where one of several branches failed, the others go on to their end: no host is cut off in the middle of its work. */
async function settle(scope: RunScope): Promise<void> {
  while (scope.open.size > 0) {
    await Promise.allSettled(scope.open.values());
    // What follows in a branch begins only after this turn.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function makeHosts(
  group: BoundGroup,
  sessions: ReadonlyMap<string, HostSession>,
  scope: RunScope,
  options: PlayOptions,
): Hosts<never> {
  const members = [...group].flatMap(([name, vars]): Member<never>[] => {
    const session = sessions.get(name);
    const declared = options.inventory.hosts.get(name);
    if (session === undefined || declared === undefined) return [];
    // Erasure point: these vars were just parsed by the schema that gives them their type.
    const host = { name, address: session.target.address, groups: declared.groups, vars: vars as never };
    return [{ host, session, chosen: isChosen(name, options) }];
  });
  return new Hosts(members, scope);
}

function makePlay(
  sessions: ReadonlyMap<string, HostSession>,
  scope: RunScope,
  params: Record<string, unknown>,
  options: PlayOptions,
): Play<never> {
  const session = sessions.get(CONTROLLER);
  if (session === undefined) throw new BugError("the controller has no session");
  const host = { name: CONTROLLER, address: "localhost", groups: [], vars: {} };
  return {
    params: params as never,
    controller: new Hosts([{ host, session, chosen: true }], scope),
    directory: options.directory ?? process.cwd(),
    get pending() {
      return scope.pending();
    },
    phase: makePhase(scope.selection, options.emit),
    note: (text, level = "info") => options.emit({ type: "note", level, text }),
    table: (title, columns, rows) => options.emit({ type: "table", title, columns, rows }),
  };
}

/** The gravest wins: a defect, an interruption, a failure, an unreachable host. */
function exitCodeOf(recap: readonly HostRecap[], error: KbError | undefined, sessions: readonly HostSession[]): number {
  const errors = [error, ...sessions.map((session) => session.error)].filter((known) => known !== undefined);
  if (errors.some((known) => known instanceof BugError)) return EXIT.bug;
  if (errors.some((known) => known instanceof InterruptedError)) return EXIT.interrupted;
  if (error !== undefined && !(error instanceof HostError)) return error.exitCode;
  if (error !== undefined || recap.some(({ failed }) => failed > 0)) {
    return recap.some(({ unreachable }) => unreachable) && !recap.some(({ failed }) => failed > 0)
      ? EXIT.unreachable
      : EXIT.hostFailed;
  }
  return recap.some(({ unreachable }) => unreachable) ? EXIT.unreachable : EXIT.converged;
}

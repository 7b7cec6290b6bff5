/** Where an error happened: filled in once, where host and task are known. */
export interface ErrorPlace {
  readonly host?: string | undefined;
  readonly task?: string | undefined;
  /** Playbook or role line that declared the task, as `file:line`. */
  readonly where?: string | undefined;
}

/** The exit codes of `kb`; scripts rely on them. */
export const EXIT = {
  converged: 0,
  hostFailed: 1,
  usage: 2,
  drift: 3,
  unreachable: 4,
  bug: 70,
  interrupted: 130,
} as const;

export interface KbErrorOptions extends ErrorPlace {
  /** What to type or change next, as one line. */
  readonly hint?: string | undefined;
  /** What came back, as lines: the end of standard error, the rejected value. */
  readonly detail?: string | undefined;
  readonly cause?: unknown;
}

/**
 * The base of every error that a person may see. The message says what was tried; `detail` what came back; `hint` what
 * to try next.
 */
export abstract class KbError extends Error {
  abstract readonly code: string;
  abstract readonly exitCode: number;
  readonly hint: string | undefined;
  readonly detail: string | undefined;
  readonly place: ErrorPlace;

  constructor(message: string, options: KbErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.hint = options.hint;
    this.detail = options.detail;
    this.place = { host: options.host, task: options.task, where: options.where };
  }

  /** What events and journals keep of it. */
  toJSON(): Record<string, unknown> {
    const { code, message, detail, hint, place } = this;
    return { code, message, detail, hint, ...place };
  }
}

/** Bad usage or input: found before any connection is made. Exit code 2. */
export abstract class UsageError extends KbError {
  readonly exitCode = EXIT.usage;
}

/** A param of a module or role that its schema refuses. */
export class ParamsError extends UsageError {
  readonly code = "params";
}

/** An inventory that cannot be read, or a host or group that it does not have. */
export class InventoryError extends UsageError {
  readonly code = "inventory";
}

/** A playbook that cannot be loaded, or one whose needs the inventory does not meet. */
export class PlaybookError extends UsageError {
  readonly code = "playbook";
}

/** Something failed on one host. That host stops; the others go on where the role allows it. Exit code 1. */
export abstract class HostError extends KbError {
  readonly exitCode: number = EXIT.hostFailed;
}

/** No connection: refused, timed out, wrong key, changed host key, wrong sudo password. Exit code 4. */
export class ConnectError extends HostError {
  readonly code = "connect";
  override readonly exitCode = EXIT.unreachable;
}

/** A question to the host failed, or its answer made no sense. Nothing was changed by this task. */
export class ProbeError extends HostError {
  readonly code = "probe";
}

/** The user that tasks are for cannot be had on the host. Nothing was done. */
export class BecomeError extends HostError {
  readonly code = "become";
}

/** An action failed on the host. */
export class ApplyError extends HostError {
  readonly code = "apply";
}

/** All actions succeeded and the host is still not in the wanted state. */
export class NotConvergedError extends HostError {
  readonly code = "not-converged";
}

/** A remote step took longer than its limit. */
export class TimeoutError extends HostError {
  readonly code = "timeout";
}

/** Another run holds the host's lock. */
export class LockedError extends HostError {
  readonly code = "locked";
}

/** A role refused to act, because acting would endanger data or quorum. Exit code 1. */
export class RefusedError extends HostError {
  readonly code = "refused";
}

/** A host is not healthy when its turn comes or after it: the gate of a rolling run does not hold. */
export class UnhealthyError extends HostError {
  readonly code = "unhealthy";
}

/** A list of tasks whose failures are the caller's failed: its hosts are still in the run. */
export class TasksFailedError extends HostError {
  readonly code = "tasks-failed";
  /** Which hosts, and what happened there. */
  readonly failures: readonly { readonly host: string; readonly error: KbError }[];

  constructor(failures: TasksFailedError["failures"]) {
    super(`${failures.map(({ host }) => host).join(", ")} failed`, {
      detail: failures.map(({ host, error }) => `${host}: ${error.message}`).join("\n"),
    });
    this.failures = failures;
  }

  /** Names of the hosts, as `hosts.only` takes them. */
  get hosts(): readonly string[] {
    return this.failures.map(({ host }) => host);
  }
}

/** The run was interrupted by the operator. Exit code 130. */
export class InterruptedError extends HostError {
  readonly code = "interrupted";
  override readonly exitCode = EXIT.interrupted;
}

/** A defect of ours or of a module's author, never the operator's. Exit code 70 (sysexits.h, EX_SOFTWARE). */
export class BugError extends KbError {
  readonly code = "bug";
  readonly exitCode = EXIT.bug;
}

/**
 * Whether a playbook may go on with the host that this happened on, after a rescue or in spite of it. Not where nothing
 * could be done there at all, nobody may go on, or the error is a defect.
 */
export function isHandleable(error: unknown): error is HostError {
  const final = [ConnectError, InterruptedError, LockedError, TasksFailedError];
  return error instanceof HostError && !final.some((kind) => error instanceof kind);
}

/** The whole error as plain lines: what was tried, where, what came back, what to try next. */
export function renderError(error: unknown): string {
  if (!(error instanceof KbError)) return error instanceof Error ? (error.stack ?? error.message) : String(error);
  const { host, task, where } = error.place;
  const on = [task, host === undefined ? undefined : `on ${host}`, where === undefined ? undefined : `(${where})`];
  const head = on.some((part) => part !== undefined)
    ? `${on.filter(Boolean).join(" ")}: ${error.message}`
    : error.message;
  const lines = [head];
  if (error.detail !== undefined && error.detail !== "") {
    lines.push(
      ...error.detail
        .trimEnd()
        .split("\n")
        .map((line) => `  ${line}`),
    );
  }
  if (error.hint !== undefined) lines.push(`  try: ${error.hint}`);
  return lines.join("\n");
}

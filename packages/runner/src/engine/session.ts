import { BugError, ConnectError, HostError, KbError, ProbeError } from "../errors.ts";
import type { Emit, HostRecap, TaskResult } from "../events.ts";
import type { Probe } from "../probe.ts";
import type { State } from "../state.ts";
import type { Connect, Connection, Target } from "../transport/transport.ts";
import { type Compiled, compile, type RawAnswer, toOutputs } from "./compile.ts";
import type { Frame } from "./frames.ts";
import { HeldShell } from "./held-shell.ts";
import { type LockRequest, renderRun } from "./render.ts";

/** What a change that check mode did not make would have left behind. */
export interface Prediction {
  readonly task: string;
  readonly module: string;
  readonly id: string;
  readonly state: State | null;
}

/** What a session needs of its run. */
export interface SessionContext {
  readonly emit: Emit;
  readonly connect: Connect;
  /** Taken on each host when it is connected; undefined where nothing will be changed. */
  readonly lock: LockRequest | undefined;
}

/** One host for the length of one run: its connection, its shell, and what became of it. */
export class HostSession {
  readonly target: Target;
  /** Changes that check mode predicts and has not made, by the resource that they alter. */
  readonly predicted = new Map<string, Prediction>();
  readonly #context: SessionContext;
  readonly #counts = { ok: 0, changed: 0, unknown: 0, skipped: 0, failed: 0, rescued: 0, ignored: 0, delegated: 0 };
  #connection: Connection | undefined;
  #shell: HeldShell | undefined;
  #opening: Promise<HeldShell> | undefined;
  #error: KbError | undefined;
  #unreachable = false;

  constructor(target: Target, context: SessionContext) {
    this.target = target;
    this.#context = context;
  }

  get name(): string {
    return this.target.name;
  }

  /** Why this host has left the run; undefined while it takes part. */
  get error(): KbError | undefined {
    return this.#error;
  }

  get unreachable(): boolean {
    return this.#unreachable;
  }

  /** Opens the connection; a host that was opened before, or has failed, is left as it is. */
  async open(): Promise<HeldShell> {
    if (this.#error !== undefined) throw this.#error;
    this.#opening ??= this.#open();
    return this.#opening;
  }

  async #open(): Promise<HeldShell> {
    const started = performance.now();
    this.#connection = await this.#context.connect(this.target);
    this.#shell = await HeldShell.open(this.#connection, this.target, this.#context.lock);
    this.#context.emit({ type: "host-connected", host: this.name, ms: performance.now() - started });
    return this.#shell;
  }

  /** Asks probes in one round trip. */
  async ask(probes: readonly Probe<unknown>[]): Promise<readonly (readonly RawAnswer[])[]> {
    const compiled = compile(probes, "q");
    if (compiled.scripts.length === 0) return probes.map(() => []);
    const shell = await this.open();
    const frames = new Map<string, Frame>();
    await shell.run(renderAll(compiled), { onFrame: (frame) => void frames.set(frame.id, frame), onDone: () => {} });
    return compiled.collect(frames);
  }

  /** The answer to one probe. @throws ProbeError where its `parse` makes no sense of it */
  async question<T>(probe: Probe<T>): Promise<T> {
    const [answers = []] = await this.ask([probe]);
    try {
      return probe.parse(toOutputs(answers));
    } catch (cause) {
      if (cause instanceof KbError) throw cause;
      throw new ProbeError(cause instanceof Error ? cause.message : String(cause), { host: this.name, cause });
    }
  }

  /** The host leaves the run. The first error stays. */
  fail(error: unknown): KbError {
    const known = error instanceof HostError || error instanceof BugError ? error : this.#wrap(error);
    if (this.#error !== undefined) return this.#error;
    this.#error = known;
    this.#unreachable = known instanceof ConnectError && this.#shell === undefined;
    const type = this.#unreachable ? "host-unreachable" : "host-failed";
    this.#context.emit({ type, host: this.name, error: known });
    return known;
  }

  #wrap(error: unknown): KbError {
    if (error instanceof KbError) return error;
    return new BugError(error instanceof Error ? error.message : String(error), {
      host: this.name,
      cause: error,
      detail: error instanceof Error ? error.stack : undefined,
    });
  }

  report(result: TaskResult): TaskResult {
    this.#counts[result.handled ?? result.outcome] += 1;
    this.#context.emit({ type: "task-end", result });
    return result;
  }

  async stopSoon(): Promise<void> {
    await this.#shell?.stopSoon();
  }

  recap(): HostRecap {
    const { delegated: _, ...counts } = this.#counts;
    return {
      host: this.name,
      ...counts,
      // A host that failed between tasks (a lost connection, a refusal) failed all the same.
      failed: Math.max(this.#counts.failed, this.#error !== undefined && !this.#unreachable ? 1 : 0),
      unreachable: this.#unreachable,
      roundTrips: this.#shell?.roundTrips ?? 0,
    };
  }

  async close(): Promise<void> {
    await this.#shell?.close();
    await this.#connection?.close();
  }
}

export function renderAll(compiled: Compiled): string {
  return compiled.scripts.map(({ id, script }) => renderRun(id, script)).join("\n");
}

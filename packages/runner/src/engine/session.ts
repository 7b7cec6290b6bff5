import { BugError, ConnectError, HostError, KbError, ProbeError } from "../errors.ts";
import type { Emit, FailureHandling, HostRecap, TaskResult } from "../events.ts";
import { FACTS_SCRIPT, type Facts, factsProbe } from "../facts.ts";
import type { Task } from "../module.ts";
import type { Probe } from "../probe.ts";
import type { State } from "../state.ts";
import type { Connect, Connection, Target } from "../transport/transport.ts";
import { type Compiled, compile, type RawAnswer, toOutputs } from "./compile.ts";
import { Foresight } from "./foresight.ts";
import type { Frame } from "./frames.ts";
import { type Deadline, HeldShell } from "./held-shell.ts";
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

/** Who asks. */
export interface AskOptions {
  /** The user that asks on the host; the held shell's unless given. */
  readonly user?: string | undefined;
  readonly tasks?: readonly Task[];
}

/** One host for the length of one run: its connection, its shell, and what became of it. */
export class HostSession {
  readonly target: Target;
  /** Changes that check mode predicts and has not made, by the resource that they alter. */
  readonly predicted = new Map<string, Prediction>();
  /** The same as answers: what questions would get after them. */
  readonly foresight = new Foresight();
  readonly #context: SessionContext;
  readonly #counts = { ok: 0, changed: 0, unknown: 0, skipped: 0, failed: 0, rescued: 0, ignored: 0 };
  readonly #handled = new Map<KbError, FailureHandling>();
  readonly #noted = new Set<string>();
  #facts: Promise<Facts> | undefined;
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
  async open(greeting?: string): Promise<HeldShell> {
    if (this.#error !== undefined) throw this.#error;
    this.#opening ??= this.#open(greeting);
    return this.#opening;
  }

  async #open(greeting: string | undefined): Promise<HeldShell> {
    const started = performance.now();
    this.#connection = await this.#context.connect(this.target);
    this.#shell = await HeldShell.open(this.#connection, this.target, {
      lock: this.#context.lock,
      greeting,
      onWait: (text) => this.#noteOnce(text),
    });
    this.#context.emit({ type: "host-connected", host: this.name, ms: performance.now() - started });
    return this.#shell;
  }

  #noteOnce(text: string): void {
    if (this.#noted.has(text)) return;
    this.#noted.add(text);
    this.#context.emit({ type: "note", level: "info", text, host: this.name });
  }

  /** Asks probes in one round trip, in the name of `tasks` where they are theirs. */
  async ask(
    probes: readonly Probe<unknown>[],
    { user, tasks = [] }: AskOptions = {},
  ): Promise<readonly (readonly RawAnswer[])[]> {
    const compiled = compile(probes, "q");
    if (compiled.scripts.length === 0) return probes.map(() => []);
    const shell = await this.open();
    const frames = new Map<string, Frame>();
    await shell.run(
      renderAll(compiled),
      { onFrame: (frame) => void frames.set(frame.id, frame), onDone: () => {} },
      { user, deadline: (at) => questionDeadline(compiled, at, tasks) },
    );
    return compiled.collect(frames);
  }

  /** The answer to one probe. @throws ProbeError where its `parse` makes no sense of it */
  async question<T>(probe: Probe<T>, options: AskOptions = {}): Promise<T> {
    const [answers = []] = await this.ask([probe], options);
    return this.#parse(probe, answers);
  }

  #parse<T>(probe: Probe<T>, answers: readonly RawAnswer[]): T {
    try {
      return probe.parse(toOutputs(answers));
    } catch (cause) {
      if (cause instanceof KbError) throw cause;
      throw new ProbeError(cause instanceof Error ? cause.message : String(cause), { host: this.name, cause });
    }
  }

  /** What the host is, asked once a run: while it is connected to where nothing was asked yet, at no round trip then. */
  async facts(): Promise<Facts> {
    this.#facts ??= this.#askFacts();
    return this.#facts;
  }

  async #askFacts(): Promise<Facts> {
    if (this.#opening !== undefined) return this.question(factsProbe());
    const probe = factsProbe();
    const shell = await this.open(FACTS_SCRIPT.text);
    return this.#parse(probe, [await shell.greeting()]);
  }

  /** The host leaves the run. The first error stays. */
  fail(error: unknown): KbError {
    const known = error instanceof HostError || error instanceof BugError ? error : this.#wrap(error);
    if (this.#error !== undefined) return this.#error;
    this.#error = known;
    if (this.#handled.get(known) === "rescued") this.#counts.rescued -= 1;
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

  /** A failure that does not take the host out of the run, unless nobody catches it: {@link fail} then. */
  handle(error: KbError, handled: FailureHandling): void {
    if (handled !== "delegated") this.#counts[handled] += 1;
    this.#handled.set(error, handled);
    this.#context.emit({ type: "failure-handled", host: this.name, handled, error });
  }

  report(result: TaskResult): TaskResult {
    if (result.handled === undefined) this.#counts[result.outcome] += 1;
    this.#context.emit({ type: "task-end", result });
    return result;
  }

  async stopSoon(): Promise<void> {
    await this.#shell?.stopSoon();
  }

  recap(): HostRecap {
    return {
      host: this.name,
      ...this.#counts,
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

/** The tasks that one question's script answers, for people: the first, and how many more. */
export function nameAskers(compiled: Compiled, id: string, tasks: readonly Task[]): string {
  const [first, ...others] = compiled.askers(id).flatMap((index) => tasks[index]?.name ?? []);
  if (first === undefined) return "a probe";
  return others.length === 0 ? first : `${first} and ${others.length} more`;
}

function questionDeadline(compiled: Compiled, at: string | undefined, tasks: readonly Task[]): Deadline {
  const script = at === undefined ? undefined : compiled.scripts.find(({ id }) => id === at);
  if (at === undefined || script === undefined) return { what: "nothing that is known" };
  const task = tasks[compiled.askers(at)[0] ?? -1];
  const { timeoutMs } = script.script;
  const line = script.script.script.text.split("\n")[0] ?? "";
  return {
    ...(timeoutMs === undefined ? {} : { ms: timeoutMs }),
    what: `the question of ${nameAskers(compiled, at, tasks)}: ${line.slice(0, 120)}`,
    ...(task === undefined ? {} : { task: task.name, where: task.where }),
  };
}

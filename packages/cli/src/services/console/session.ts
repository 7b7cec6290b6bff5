import { inspect } from "node:util";
import {
  ask,
  BugError,
  definePlaybook,
  type Emit,
  type EnsureResult,
  type Hosts,
  InterruptedError,
  type Inventory,
  type KbError,
  type Output,
  type Probe,
  play,
  type RunEvent,
  Sh,
  sh,
  type Task,
} from "@keybuzz/runner";
import * as z from "zod";
import type { Reach } from "../connection.ts";
import { HeldConnections } from "./held-connection.ts";

/** What a console works on. */
export interface SessionOptions {
  readonly inventory: Inventory;
  /** Name of the one host. */
  readonly host: string;
  readonly reach: Reach;
  readonly emit: Emit;
  readonly directory: string;
}

/** What a shell script said, shown as a terminal would. */
export class ScriptOutput implements Output {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;

  constructor({ stdout, stderr, exitCode }: Output) {
    this.stdout = stdout;
    this.stderr = stderr;
    this.exitCode = exitCode;
  }

  [inspect.custom](): string {
    const parts = [this.stdout, this.stderr].map((text) => text.trimEnd()).filter((text) => text !== "");
    if (this.exitCode !== 0 || parts.length === 0) parts.push(`(exit code ${this.exitCode})`);
    return parts.join("\n");
  }
}

/**
 * Work on one host from a console: each call is a run of its own, over a connection that is held. So nothing that went
 * wrong in one is in the way of the next, the host is locked only while something is done, and check mode always starts
 * from the host as it is.
 */
export class ConsoleSession {
  mode: "check" | "apply" = "check";
  readonly #options: SessionOptions;
  readonly #held: HeldConnections;
  #running: AbortController | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#held = new HeldConnections(options.reach.connect);
  }

  /** Connects, so that a host that cannot be reached is told at once. @throws KbError */
  async open(): Promise<void> {
    await this.probe(sh`:`);
  }

  /** Brings the host in line with tasks; in check mode, tells what that would change. @throws KbError */
  async ensure(tasks: Task | readonly Task[]): Promise<EnsureResult> {
    let result: EnsureResult | undefined;
    await this.#run(async (hosts) => {
      result = await hosts.ensure("probe" in tasks ? [tasks] : tasks);
    });
    if (result === undefined) throw new BugError("a run without a failure has a result");
    return result;
  }

  /** Asks the host; a script as it is. @throws KbError */
  async probe(script: Sh): Promise<ScriptOutput>;
  async probe<T>(question: Probe<T>): Promise<T>;
  async probe<T>(question: Probe<T> | Sh): Promise<T | ScriptOutput> {
    let answer: { readonly value: T | ScriptOutput } | undefined;
    await this.#run(async (hosts) => {
      [answer] =
        question instanceof Sh
          ? await hosts.probe(ask(question, (output) => new ScriptOutput(output)))
          : await hosts.probe(question);
    });
    if (answer === undefined) throw new BugError("a run without a failure has an answer");
    return answer.value;
  }

  /** Stops what is going on, once its current action has ended. */
  interrupt(): void {
    this.#running?.abort();
  }

  async close(): Promise<void> {
    this.interrupt();
    await this.#held.close();
  }

  async #run(work: (hosts: Hosts<unknown>) => Promise<void>): Promise<void> {
    const { inventory, host, reach, directory, emit } = this.#options;
    if (this.#running !== undefined) {
      throw new InterruptedError("something else is still going on", { hint: "await it first" });
    }
    const controller = new AbortController();
    this.#running = controller;
    let failure: KbError | undefined;
    const playbook = definePlaybook({ ...CONSOLE, run: ({ all }) => work(all) });
    try {
      const { error } = await play(playbook, {
        ...reach,
        inventory,
        directory,
        connect: this.#held.connect,
        mode: this.mode,
        diff: true,
        limit: [host],
        interrupt: controller.signal,
        emit: (event) => {
          failure ??= failureOf(event);
          emit(event);
        },
        ...(process.env["KB_LOCK_FOLDER"] === undefined ? {} : { lockFolder: process.env["KB_LOCK_FOLDER"] }),
      });
      failure ??= error;
    } finally {
      this.#running = undefined;
    }
    if (failure !== undefined) throw failure;
  }
}

const CONSOLE = { name: "console", summary: "A console", groups: { all: z.object({}) } };

function failureOf(event: RunEvent): KbError | undefined {
  return event.type === "host-failed" || event.type === "host-unreachable" ? event.error : undefined;
}

import type { Secret } from "./secret.ts";
import { Sh } from "./sh.ts";

/** What a question's script said. */
export interface Output {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

/** A script, with what it gets on standard input (nothing unless given). */
export interface Script {
  readonly script: Sh;
  readonly stdin?: string | Secret;
  /** Longest time for its answer in milliseconds, 60 000 unless given. What hangs longer is ended on the host. */
  readonly timeoutMs?: number;
}

/**
 * Questions of one kind that are cheaper together: one `stat` for all paths, one `dpkg-query` for all packages, one
 * mysql session for all statements.
 *
 * The output has to be the keys' parts one after the other, in the order of the keys, each the same whatever other
 * keys are asked: the engine asks again with fewer keys and compares the text.
 */
export interface Batch {
  /** Unique: questions whose batch has the same name are asked together. */
  readonly name: string;
  render(keys: readonly string[]): Script;
  /** The part of standard output that answers each of the keys, in their order; an empty text where there is none. */
  split(stdout: string, keys: readonly string[]): readonly string[];
  /**
   * What a key's answer becomes once planned changes are made that alter these resources; the same answer unless given.
   * A guess, as {@link Foreseen} is.
   */
  touched?(key: string, answer: string, touched: Touched): string;
}

/** The resources that changes will alter which are planned and not made yet, as `touches` names them. */
export interface Touched {
  has(resource: string): boolean;
}

/**
 * What a question will answer once a change is made, so that later tasks of a list are planned before it is. The host is
 * held to it before anything is built on it: a wrong guess costs a round trip, and nothing else.
 */
export interface Foreseen {
  readonly batch: string;
  readonly key: string;
  /** From the answer before the change; undefined where it cannot be told. */
  answer(before: string): string | undefined;
}

/** Foresees what the question of a batch about one key will answer. */
export function foreseen(batch: Batch, key: string, answer: Foreseen["answer"]): Foreseen {
  return { batch: batch.name, key, answer };
}

export type Question =
  | ({ readonly kind: "script" } & Script)
  | { readonly kind: "batch"; readonly batch: Batch; readonly key: string };

/**
 * A read-only question to a host, as data: POSIX shell scripts and a pure function that reads their outputs.
 * It has no `then`; ask it through `hosts.probe`, or let a module be asked by `ensure`.
 */
export interface Probe<T> {
  readonly questions: readonly Question[];
  /** Outputs come in the order of the questions. Throw a plain Error with a sentence where the answer makes no sense. */
  parse(outputs: readonly Output[]): T;
}

/** A probe of one script. */
export function ask<T>(script: Sh | Script, parse: (output: Output) => T): Probe<T> {
  const question: Question = script instanceof Sh ? { kind: "script", script } : { kind: "script", ...script };
  return { questions: [question], parse: ([output]) => parse(output ?? NOTHING) };
}

/** A probe whose script is shared with all others of the same batch. */
export function askBatch<T>(batch: Batch, key: string, parse: (output: Output) => T): Probe<T> {
  return { questions: [{ kind: "batch", batch, key }], parse: ([output]) => parse(output ?? NOTHING) };
}

const NOTHING: Output = { stdout: "", stderr: "", exitCode: 0 };

/** A probe that asks nothing and always gives this value. */
export function known<T>(value: T): Probe<T> {
  return { questions: [], parse: () => value };
}

/** The same question, with its answer turned into something else. */
export function mapProbe<T, U>(probe: Probe<T>, turn: (value: T) => U): Probe<U> {
  return { questions: probe.questions, parse: (outputs) => turn(probe.parse(outputs)) };
}

export type Answers<P extends Readonly<Record<string, Probe<unknown>>>> = {
  readonly [K in keyof P]: P[K] extends Probe<infer T> ? T : never;
};

/** Several questions as one: `probeAll({ unit, files })` answers `{ unit, files }`, in one round trip. */
export function probeAll<P extends Readonly<Record<string, Probe<unknown>>>>(probes: P): Probe<Answers<P>> {
  const entries = Object.entries(probes);
  return {
    questions: entries.flatMap(([, probe]) => probe.questions),
    parse(outputs) {
      let next = 0;
      const answers = entries.map(([name, probe]) => {
        const mine = outputs.slice(next, next + probe.questions.length);
        next += probe.questions.length;
        return [name, probe.parse(mine)] as const;
      });
      // Erasure point: Object.entries forgets which name goes with which type.
      return Object.fromEntries(answers) as Answers<P>;
    },
  };
}

/**
 * A probe's answer where something that it needs is not there yet: no docker, no server. Where an earlier task of the
 * run is still to change this host, it reads as "does not exist yet"; otherwise it is an error with this reason.
 */
export class Unmet {
  readonly reason: string;
  readonly hint: string | undefined;

  constructor(reason: string, hint?: string) {
    this.reason = reason;
    this.hint = hint;
  }
}

/** Says that a question cannot be answered because something is missing; see {@link Unmet}. */
export function unmet(reason: string, hint?: string): Unmet {
  return new Unmet(reason, hint);
}

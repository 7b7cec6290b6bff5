import { createHash } from "node:crypto";
import type { Batch, Output, Probe, Question, Script } from "../probe.ts";
import type { Frame } from "./frames.ts";
import type { Guard } from "./render.ts";

/** The answer to one question, as bytes, with what a guard needs to see it again. */
export interface RawAnswer {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  readonly exitCode: number;
}

/** Many probes as few scripts: questions of one batch become one. */
export interface Compiled {
  readonly scripts: readonly { readonly id: string; readonly script: Script }[];
  /** The raw answers of each probe, in the order of the probes. */
  collect(frames: ReadonlyMap<string, Frame>): readonly (readonly RawAnswer[])[];
  /** Indexes of the probes that a script is run for. */
  askers(id: string): readonly number[];
}

/** Compiles probes into one list of scripts; ids start with `prefix`. */
export function compile(probes: readonly Probe<unknown>[], prefix: string): Compiled {
  const batches = new Map<string, { batch: Batch; keys: string[] }>();
  const single: Script[] = [];
  const places = probes.map((probe) =>
    probe.questions.map((question): { id: string; key: number | undefined } => {
      if (question.kind === "script") {
        single.push(question);
        return { id: `${prefix}s${single.length - 1}`, key: undefined };
      }
      const entry = batches.get(question.batch.name) ?? { batch: question.batch, keys: [] };
      batches.set(question.batch.name, entry);
      const known = entry.keys.indexOf(question.key);
      if (known < 0) entry.keys.push(question.key);
      const order = [...batches.keys()].indexOf(question.batch.name);
      return { id: `${prefix}b${order}`, key: known < 0 ? entry.keys.length - 1 : known };
    }),
  );
  const entries = [...batches.values()];
  return {
    scripts: [
      ...entries.map(({ batch, keys }, order) => ({ id: `${prefix}b${order}`, script: batch.render(keys) })),
      ...single.map((script, order) => ({ id: `${prefix}s${order}`, script })),
    ],
    askers: (id) => places.flatMap((list, index) => (list.some((place) => place.id === id) ? [index] : [])),
    collect(frames) {
      const parts = entries.map(({ batch, keys }, order) => splitFrame(batch, keys, frames.get(`${prefix}b${order}`)));
      return places.map((list) =>
        list.map(({ id, key }) => {
          const frame = frames.get(id) ?? { id, stdout: Buffer.alloc(0), stderr: Buffer.alloc(0), exitCode: 255 };
          if (key === undefined) return frame;
          const stdout = parts[Number(id.slice(prefix.length + 1))]?.[key] ?? Buffer.alloc(0);
          return { stdout, stderr: frame.stderr, exitCode: frame.exitCode };
        }),
      );
    },
  };
}

/** Splits on bytes as Latin-1, so that any byte survives; keys are turned into the same form. */
function splitFrame(batch: Batch, keys: readonly string[], frame: Frame | undefined): readonly Buffer[] {
  const asBytes = keys.map((key) => Buffer.from(key).toString("latin1"));
  return batch.split(frame?.stdout.toString("latin1") ?? "", asBytes).map((part) => Buffer.from(part, "latin1"));
}

/** What a probe's `parse` takes. */
export function toOutputs(answers: readonly RawAnswer[]): readonly Output[] {
  return answers.map(({ stdout, stderr, exitCode }) => ({
    stdout: stdout.toString("utf8"),
    stderr: stderr.toString("utf8"),
    exitCode,
  }));
}

/** The tests that these probes still get the answers that they got; questions of one batch are one test. */
export function guardsOf(asked: readonly { probe: Probe<unknown>; answers: readonly RawAnswer[] }[]): readonly Guard[] {
  const grouped = new Map<string, { batch: Batch; keys: string[]; parts: Buffer[] }>();
  const guards: Guard[] = [];
  for (const { probe, answers } of asked) {
    probe.questions.forEach((question: Question, index) => {
      const answer = answers[index];
      if (answer === undefined) return;
      if (question.kind === "script") {
        guards.push({ script: question, expected: answer.stdout, exitCode: answer.exitCode });
        return;
      }
      const group = grouped.get(question.batch.name) ?? { batch: question.batch, keys: [], parts: [] };
      grouped.set(question.batch.name, group);
      if (group.keys.includes(question.key)) return;
      group.keys.push(question.key);
      group.parts.push(answer.stdout);
    });
  }
  for (const { batch, keys, parts } of grouped.values()) {
    guards.push({ script: batch.render(keys), expected: Buffer.concat(parts), exitCode: undefined });
  }
  return guards;
}

export function sha256(data: Buffer): string {
  return createHash("sha256").update(data).digest("hex");
}

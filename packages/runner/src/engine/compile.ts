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
  const batches = new Map<string, { batch: Batch; order: number; keys: Map<string, number> }>();
  const single: Script[] = [];
  const places = probes.map((probe) =>
    probe.questions.map((question): { id: string; key: number | undefined } => {
      if (question.kind === "script") {
        single.push(question);
        return { id: `${prefix}s${single.length - 1}`, key: undefined };
      }
      const { batch, key } = question;
      const entry = batches.get(batch.name) ?? { batch, order: batches.size, keys: new Map<string, number>() };
      batches.set(batch.name, entry);
      const place = entry.keys.get(key) ?? entry.keys.size;
      entry.keys.set(key, place);
      return { id: `${prefix}b${entry.order}`, key: place };
    }),
  );
  const entries = [...batches.values()].map(({ batch, keys }) => ({ batch, keys: [...keys.keys()] }));
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
  const grouped = new Map<string, { batch: Batch; parts: Map<string, Buffer> }>();
  const guards: Guard[] = [];
  for (const { probe, answers } of asked) {
    probe.questions.forEach((question: Question, index) => {
      const answer = answers[index];
      if (answer === undefined) return;
      if (question.kind === "script") {
        guards.push({ script: question, expected: answer.stdout, exitCode: answer.exitCode });
        return;
      }
      const group = grouped.get(question.batch.name) ?? { batch: question.batch, parts: new Map<string, Buffer>() };
      grouped.set(question.batch.name, group);
      if (!group.parts.has(question.key)) group.parts.set(question.key, answer.stdout);
    });
  }
  for (const { batch, parts } of grouped.values()) {
    const expected = Buffer.concat([...parts.values()]);
    guards.push({ script: batch.render([...parts.keys()]), expected, exitCode: undefined });
  }
  return guards;
}

export function sha256(data: Buffer): string {
  return createHash("sha256").update(data).digest("hex");
}

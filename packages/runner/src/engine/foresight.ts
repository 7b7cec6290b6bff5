import type { Assessment } from "../module.ts";
import type { Foreseen, Probe, Question, Touched } from "../probe.ts";
import type { RawAnswer } from "./compile.ts";

/**
 * What changes will leave behind on one host that are planned and not made yet: the resources that they alter, and the
 * answers that questions will then get. In a run it is a guess that the host is held to; in check mode it is all there is.
 */
export class Foresight implements Touched {
  readonly #resources = new Set<string>();
  readonly #answers = new Map<string, Foreseen["answer"][]>();

  has(resource: string): boolean {
    return this.#resources.has(resource);
  }

  /** Takes a change into account. */
  expect(assessment: Assessment): void {
    for (const resource of assessment.touches()) this.#resources.add(resource);
    for (const { batch, key, answer } of assessment.leaves()) {
      const place = `${batch} ${key}`;
      this.#answers.set(place, [...(this.#answers.get(place) ?? []), answer]);
    }
  }

  /** The answers that a probe's questions will get after the changes; the very same list where none of them alters it. */
  answersTo(probe: Probe<unknown>, now: readonly RawAnswer[]): readonly RawAnswer[] {
    if (this.#resources.size === 0) return now;
    const then = now.map((answer, index) => this.#answerTo(probe.questions[index], answer));
    return then.every((answer, index) => answer === now[index]) ? now : then;
  }

  #answerTo(question: Question | undefined, now: RawAnswer): RawAnswer {
    if (question?.kind !== "batch") return now;
    const { batch, key } = question;
    const changes = this.#answers.get(`${batch.name} ${key}`) ?? [];
    if (changes.length === 0 && batch.touched === undefined) return now;
    const before = now.stdout.toString("utf8");
    const after = changes.reduce((text, change) => change(text) ?? text, before);
    const then = batch.touched?.(key, after, this) ?? after;
    // A failed batch gave no answer that anything could be foreseen from.
    return then === before || now.exitCode === 255 ? now : { ...now, stdout: Buffer.from(then) };
  }
}

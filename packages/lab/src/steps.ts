import { performance } from "node:perf_hooks";

/** One finished step, for people to read along. */
export interface StepReport {
  readonly text: string;
  /** How long it took, in milliseconds. */
  readonly ms: number;
}

/** Told of each step when it is done. */
export type OnStep = (report: StepReport) => void;

/** Names and times what a lab does. */
export interface Steps {
  /** Do `work`, and report `text` with the time that it took. */
  step<T>(text: string, work: () => Promise<T>): Promise<T>;
  /** Report something that took no time worth telling. */
  say(text: string): void;
}

/** Steps that are reported to `onStep`. */
export function reportedSteps(onStep: OnStep = () => undefined): Steps {
  return {
    async step(text, work) {
      const start = performance.now();
      const result = await work();
      onStep({ text, ms: Math.round(performance.now() - start) });
      return result;
    },
    say: (text) => onStep({ text, ms: 0 }),
  };
}

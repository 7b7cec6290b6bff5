import type { Judgement } from "./engine/judge.ts";
import type { KbError } from "./errors.ts";
import type { Task } from "./module.ts";

/** Looks at one decision of a list, by its task's index in it. An error keeps that task, and all behind it, undone. */
export type Review = (index: number, judgement: Judgement) => KbError | undefined;

/** Is shown each decision before anything comes of it: how a plan is recorded, and how a run is held to one. */
export interface Overseer {
  /** A list of tasks begins on a host. */
  list(host: string, tasks: readonly Task[]): Review;
}

/** The judgement, or the error that a review makes of it. */
export function reviewed(review: Review | undefined, index: number, judgement: Judgement): Judgement {
  const error = review?.(index, judgement);
  return error === undefined ? judgement : { kind: "error", error };
}

import type { Action } from "./action.ts";
import { ParamsError } from "./errors.ts";
import type { Task } from "./module.ts";
import type { Sh } from "./sh.ts";

/** How often, and until when. */
export interface RetryOptions {
  /** Tries in all: a whole number from 2. */
  readonly times: number;
  /** Pause between two tries in milliseconds, 1000 unless given. */
  readonly delayMs?: number;
  /** Read-only test on the host after the task's actions: a try whose test does not exit with 0 has failed. */
  readonly until?: Sh;
}

/**
 * The same task, whose actions are tried again where they fail, or where they succeed and `until` does not hold. It is
 * tried on the host, without a round trip a try. Check mode tells what it tells of the task.
 *
 * ```ts
 * await hosts.ensure([retry(apt({ name: "mariadb-server" }), { times: 3, delayMs: 10_000 })]);
 * ```
 * @throws ParamsError for a number of tries below 2, or a negative pause
 */
export function retry(task: Task, { times, delayMs = 1000, until }: RetryOptions): Task {
  if (!Number.isInteger(times) || times < 2) throw new ParamsError(`retry takes a whole number from 2, not ${times}`);
  if (!(delayMs >= 0)) throw new ParamsError(`retry takes a pause of 0 ms or more, not ${delayMs}`);
  const again = (actions: readonly Action[]): Action => ({
    kind: "retry",
    ...{ actions, times, delayMs },
    ...(until === undefined ? {} : { until }),
  });
  return {
    ...task,
    assess(reading) {
      const assessment = task.assess(reading);
      return { ...assessment, actions: () => [again(assessment.actions())] };
    },
  };
}

import { type ExecAction, exec, type Sh } from "@keybuzz/runner";
import * as z from "zod";
import { shellText } from "./params.ts";

/** The `beforeStop` param of modules that stop something that runs. */
export function beforeStop() {
  const schema: z.ZodType<Sh, Sh> = shellText();
  return z
    .optional(schema)
    .describe(
      "Run right before what runs is stopped, restarted or replaced; another exit code than 0 refuses that, and what it " +
        "prints says why: for members of a cluster that must not all go at once",
    );
}

/** The guard as an action, where there is one and something runs that it is for. */
export function guardStop(given: Sh | undefined, runs: boolean): readonly ExecAction[] {
  return given === undefined || !runs ? [] : [exec(given, { timeoutMs: 60_000 })];
}

import { type Sh, sh, type WaitAction } from "@keybuzz/runner";
import * as z from "zod";
import { oneLine, shellText } from "./params.ts";

/** What has to hold before a started thing counts as up. */
export type Ready = { readonly test: Sh; readonly what: string; readonly timeoutMs: number };

/** The `ready` param of modules that start something. */
export function ready(after: string) {
  return z
    .strictObject({
      test: shellText().describe("Exits with 0 once it is up"),
      what: oneLine().describe("What is awaited, for the message when it does not come"),
      timeoutMs: z.int().positive().default(120_000).describe("Milliseconds to wait"),
    })
    .optional()
    .describe(`Awaited after each ${after}: { test: sh\`...\`, what, timeoutMs }`);
}

/** The wait that a `ready` asks for, if it is given. */
export function waitReady(given: Ready | undefined, onTimeout: Sh = sh`:`): readonly WaitAction[] {
  if (given === undefined) return [];
  return [{ kind: "wait", what: given.what, until: given.test, timeoutMs: given.timeoutMs, onTimeout }];
}

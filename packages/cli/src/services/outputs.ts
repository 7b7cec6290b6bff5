import { closeSync, openSync, writeSync } from "node:fs";
import { OUTPUT_KINDS, type OutputKind } from "../reporters/choose.ts";
import type { Output } from "../reporters/reporter.ts";
import { CommandLineError } from "./usage-error.ts";

/** The forms of one run's output: one on standard output, any number in files. */
export interface Outputs {
  readonly screen: OutputKind;
  readonly files: readonly { readonly kind: OutputKind; readonly path: string }[];
}

/** The flags that say so. */
export interface OutputFlags {
  readonly json: boolean;
  readonly oneline?: boolean | undefined;
  /** `KIND` or `KIND=FILE` each. */
  readonly output?: readonly string[] | undefined;
}

/**
 * What `--output`, `--json` and `--oneline` ask for.
 * @throws CommandLineError for a kind that there is not, or two on standard output
 */
export function parseOutputs({ json, oneline, output = [] }: OutputFlags): Outputs {
  const asked = [...(json ? ["ndjson"] : []), ...(oneline === true ? ["oneline"] : []), ...output].map(parseOutput);
  const screens = new Set(asked.flatMap(({ kind, path }) => (path === undefined ? [kind] : [])));
  const [screen = "text", second] = screens;
  if (second !== undefined) {
    throw new CommandLineError(`standard output cannot be both ${screen} and ${second}`, {
      hint: `write one of them to a file: --output ${second}=FILE`,
    });
  }
  return { screen, files: asked.flatMap(({ kind, path }) => (path === undefined ? [] : [{ kind, path }])) };
}

function parseOutput(text: string): { readonly kind: OutputKind; readonly path: string | undefined } {
  const [name = "", ...rest] = text.split("=");
  const path = rest.join("=");
  const kind = OUTPUT_KINDS.find((known) => known === name);
  if (kind === undefined || (rest.length > 0 && path === "")) {
    throw new CommandLineError(`--output ${text}: no such output`, {
      hint: `one of ${OUTPUT_KINDS.join(", ")}, each with =FILE to write it there`,
    });
  }
  return { kind, path: rest.length === 0 ? undefined : path };
}

/**
 * A file to report to, emptied, for its owner alone: a report shows what is on hosts.
 * @throws CommandLineError where it cannot be written
 */
export function openOutput(path: string): Output & { close(): void } {
  try {
    const file = openSync(path, "w", 0o600);
    return { write: (text) => writeSync(file, text), close: () => closeSync(file) };
  } catch (cause) {
    throw new CommandLineError(`cannot write ${path}`, {
      detail: cause instanceof Error ? cause.message : String(cause),
      cause,
    });
  }
}

import { EXIT, KbError, nearest } from "@keybuzz/runner";
import { CLIError, ExitError } from "@oclif/core/errors";
import { type ErrorOptions, errorLines } from "../reporters/error-lines.ts";
import { safeText } from "../reporters/safe-text.ts";
import { makePaint, type Paint, wantsColours } from "../reporters/style.ts";

/** Shows an error on standard error. @returns the exit code that it stands for */
export function showError(error: unknown, options: ErrorOptions): number {
  if (error instanceof ExitError) return error.oclif.exit ?? EXIT.bug;
  const paint = makePaint(wantsColours(process.stderr, process.env));
  const [lines, exitCode] = describe(error, paint, options);
  process.stderr.write(`${lines.join("\n")}\n`);
  return exitCode;
}

function describe(error: unknown, paint: Paint, options: ErrorOptions): readonly [readonly string[], number] {
  if (error instanceof KbError) return [errorLines(error, paint, options), error.exitCode];
  // What oclif says of a command line that it cannot parse. Its note on greedy flags is wrong here: none is.
  if (error instanceof CLIError) {
    return [[safeText(error.message.replace(/\n\nNote: .*\n.*$/m, "")), ...nearestFlags(error, paint)], EXIT.usage];
  }
  if (isToolError(error)) {
    const cause = error.cause instanceof Error ? [`  ${safeText(error.cause.message)}`] : [];
    return [[safeText(error.message), ...cause], error.exitCode];
  }
  return [errorLines(error, paint, options), EXIT.bug];
}

/** For each flag that does not exist, the one that was probably meant. */
function nearestFlags(error: CLIError, paint: Paint): readonly string[] {
  if (!("flags" in error && Array.isArray(error.flags) && "parse" in error)) return [];
  const { input } = error.parse as { readonly input?: { readonly flags?: Readonly<Record<string, unknown>> } };
  const known = Object.keys(input?.flags ?? {}).map((name) => `--${name}`);
  return error.flags.flatMap((flag) => {
    const near = nearest(String(flag).replace(/=.*/s, ""), known);
    return near === undefined ? [] : [`  ${paint("place", "try:")} did you mean ${near}?`];
  });
}

/** An error of the lab, which is a package of its own: it brings its exit code, and a message for people. */
function isToolError(error: unknown): error is Error & { readonly exitCode: number } {
  return error instanceof Error && "exitCode" in error && typeof error.exitCode === "number";
}

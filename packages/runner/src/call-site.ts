import { relative } from "node:path";
import { fileURLToPath } from "node:url";

/** `file:line` of whoever called `callee`, relative to the working directory; undefined where it cannot be told. */
export function callSite(callee: (...args: never[]) => unknown): string | undefined {
  const holder: { stack?: string } = {};
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 1;
  Error.captureStackTrace(holder, callee);
  Error.stackTraceLimit = limit;
  const match = /(?:\(|at )((?:file:\/\/)?\/[^()]*):(\d+):\d+\)?$/.exec(holder.stack?.split("\n")[1] ?? "");
  if (match?.[1] === undefined) return undefined;
  const file = match[1].startsWith("file:") ? fileURLToPath(match[1]) : match[1];
  return `${relative(process.cwd(), file)}:${match[2]}`;
}

import { EventEmitter } from "node:events";
import { stripTypeScriptTypes } from "node:module";
import { type REPLServer, Recoverable } from "node:repl";

/** What became of a piece of source text. */
export type Evaluated =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "error"; readonly error: unknown }
  /** It is not at its end yet: more lines have to come. */
  | { readonly kind: "unfinished" };

type Evaluate = (source: string) => Promise<Evaluated>;

/**
 * Evaluates TypeScript in the scope of a REPL, with await at its top level. A promise that is the result is awaited: nobody
 * wants to see one.
 */
export async function makeEvaluate(server: REPLServer): Promise<Evaluate> {
  const evaluate = server.eval;
  let open: ((got: Evaluated) => void) | undefined;
  const run: Evaluate = (source) =>
    new Promise((done) => {
      open = done;
      evaluate.call(server, source, server.context, "console", (error, value: unknown) => {
        if (error instanceof Recoverable) done({ kind: "unfinished" });
        else done(error === null || error === undefined ? { kind: "value", value } : { kind: "error", error });
      });
    });
  // Node's own evaluation gives what is thrown to its domain, which would print it: it is ours to tell.
  const domain = await run("process.domain");
  if (domain.kind === "value" && domain.value instanceof EventEmitter) {
    domain.value.removeAllListeners("error");
    domain.value.on("error", (error: unknown) => open?.({ kind: "error", error }));
  }
  return async (source) => {
    const got = await run(stripTypes(source));
    if (got.kind !== "value") return got;
    try {
      return { kind: "value", value: await got.value };
    } catch (error) {
      return { kind: "error", error };
    }
  };
}

/** The same text with blanks for its types. What is no whole TypeScript is left to the evaluation, which says so. */
function stripTypes(source: string): string {
  try {
    return stripTypeScriptTypes(source);
  } catch {
    return source;
  }
}

/** Node says once that stripping types is experimental; it is what runs every playbook. */
export function silenceStrippingNote(): void {
  const shown = process.listeners("warning");
  process.removeAllListeners("warning");
  process.on("warning", (warning) => {
    if (warning.name === "ExperimentalWarning" && warning.message.startsWith("stripTypeScriptTypes")) return;
    for (const listener of shown) listener(warning);
  });
}

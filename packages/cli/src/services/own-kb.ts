import { fileURLToPath } from "node:url";

const BIN = fileURLToPath(new URL("../../bin/kb.js", import.meta.url));

/** A command line in which `kb` is this very kb and this very Node, whatever the search path has. */
export function ownKb(argv: readonly string[]): readonly string[] {
  const [command, ...rest] = argv;
  return command === "kb" ? [process.execPath, BIN, ...rest] : argv;
}

import { fileURLToPath } from "node:url";
import { run } from "@oclif/core/run";

/**
 * Runs one command line.
 * @returns the exit code
 */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    const code: unknown = await run([...argv], fileURLToPath(import.meta.url));
    return typeof code === "number" ? code : 0;
  } catch (error) {
    const { showError } = await import("./services/show-error.ts");
    return showError(error, { verbose: argv.includes("-v") || argv.includes("--verbose") });
  }
}

import { Secret } from "../secret.ts";
import { describeEnd, runProgram } from "../transport/program.ts";
import type { SecretProvider } from "./provider.ts";
import { SecretsError } from "./reference.ts";

/** Time for a program that may have to ask a person to unlock something. */
const TIMEOUT_MS = 60_000;

/**
 * Secrets that a program prints: `pass show db/root`, `op read op://...`, `bw get ...`. It is started with its arguments
 * as they are, without a shell, and has a minute. One newline at the end is not part of the secret.
 */
export function commandProvider(timeoutMs = TIMEOUT_MS): SecretProvider {
  return {
    async read(location) {
      const parsed: unknown = JSON.parse(location);
      const argv = Array.isArray(parsed) ? parsed.map(String) : [];
      const end = await runProgram(argv, { timeoutMs });
      const shown = argv.join(" ");
      if (end.kind !== "exited" || end.exitCode !== 0) {
        throw new SecretsError(`the program that prints a secret failed: ${shown}`, {
          detail: [describeEnd(end), end.stderr.trim()].filter((line) => line !== "").join("\n"),
          hint: "start it by hand, and see whether it prints the secret and nothing else",
        });
      }
      if (end.stdout.trim() === "")
        throw new SecretsError(`the program that prints a secret printed nothing: ${shown}`);
      return { kind: "text", text: new Secret(end.stdout) };
    },
  };
}

/** Asks for a secret as `kb` does, and tells what it got: for a test that types it on a terminal of its own. */
import { createHash } from "node:crypto";
import { askSecret } from "../services/ask-secret.ts";

try {
  const secret = await askSecret("password: ");
  const digest = secret && createHash("sha256").update(secret.reveal()).digest("hex");
  process.stdout.write(`got ${digest ?? "no terminal"}\n`);
} catch (error) {
  process.stdout.write(`${error instanceof Error ? error.name : "nothing"}\n`);
}

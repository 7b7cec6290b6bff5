/** Asks about three tasks as `kb play --step` does, and tells what it got: for a test that types on a terminal of its own. */
import { askOnTerminal } from "../services/ask-step.ts";

try {
  const confirm = askOnTerminal(() => () => {});
  for (const task of ["one", "two", "three"]) {
    const answer = await confirm({ task, hosts: ["a", "b"] });
    process.stdout.write(`got ${answer}\n`);
  }
} catch (error) {
  process.stdout.write(`${error instanceof Error ? `${error.name}: ${error.message}` : "nothing"}\n`);
}

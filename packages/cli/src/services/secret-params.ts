import { askSecret } from "./ask-secret.ts";
import { parseParams } from "./params.ts";
import { CommandLineError } from "./usage-error.ts";

/** Params as a journal or a plan keeps them: all but the secret ones. */
export interface KeptParams {
  readonly params: Readonly<Record<string, string>>;
  readonly secretParams: readonly string[];
}

/**
 * The params of a kept run: what was kept, and its secrets, from the command line or the terminal.
 * @param what names what was kept, for messages: "the run", "the plan"
 * @throws CommandLineError for a param that is none of its secrets, and for a secret that nobody gives
 */
export async function completeParams(
  what: string,
  kept: KeptParams,
  given: readonly string[],
): Promise<Readonly<Record<string, string>>> {
  const secrets = new Map(Object.entries(parseParams(given)));
  const odd = [...secrets.keys()].find((name) => !kept.secretParams.includes(name));
  if (odd !== undefined) {
    throw new CommandLineError(`-e ${odd} cannot be given here: ${what} has its params already`, {
      hint: "kb play PLAYBOOK -e ... plays a playbook with others",
    });
  }
  for (const name of kept.secretParams) {
    if (!secrets.has(name)) secrets.set(name, await askParam(what, name));
  }
  return { ...kept.params, ...Object.fromEntries(secrets) };
}

async function askParam(what: string, name: string): Promise<string> {
  const answer = await askSecret(`${name} (a secret, which ${what} does not hold): `);
  if (answer !== undefined) return answer.reveal();
  throw new CommandLineError(`the secret param ${name} is needed, and ${what} does not hold it`, {
    hint: `start kb on a terminal, which asks for it, or give it: -e ${name}=VALUE`,
  });
}

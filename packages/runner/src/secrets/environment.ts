import { suggest } from "../inventory/inventory.ts";
import { Secret } from "../secret.ts";
import type { SecretProvider } from "./provider.ts";
import { SecretsError } from "./reference.ts";

/** What was taken from the environment, for a second run in one process. */
const taken = new Map<string, Secret>();

/**
 * Secrets from environment variables. What is read is removed from the environment, so that no program that is started
 * later inherits it. (Linux goes on to show what we were started with to root and to ourselves: proc(5), /proc/PID/environ.)
 */
export const environmentProvider: SecretProvider = {
  async read(name) {
    return { kind: "text", text: takeVariable(name) };
  },
};

function takeVariable(name: string): Secret {
  const value = process.env[name];
  if (value === undefined) {
    const known = taken.get(name);
    if (known !== undefined) return known;
    const near = suggest(
      name,
      Object.keys(process.env).filter((other) => other.length > 3),
    );
    throw new SecretsError(`the environment variable ${name} is not set`, {
      hint: near.startsWith("did you mean") ? near : `set it for kb alone: ${name}=... kb play ...`,
    });
  }
  delete process.env[name];
  const secret = new Secret(value);
  taken.set(name, secret);
  return secret;
}

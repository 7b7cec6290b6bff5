import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { KbError } from "../errors.ts";
import { type Inventory, type InventoryHost, renderSource, type Sourced } from "../inventory/inventory.ts";
import { Secret } from "../secret.ts";
import { ageProvider } from "./age-provider.ts";
import type { ReadVaulted } from "./ansible-vault.ts";
import { noPassword } from "./ansible-vault.ts";
import { commandProvider } from "./command.ts";
import { pick, type SecretDocument } from "./document.ts";
import { environmentProvider } from "./environment.ts";
import { hashicorpProvider } from "./hashicorp-vault.ts";
import type { AskSecret, SecretProvider } from "./provider.ts";
import { type SecretProviderName, SecretRef, SecretsError } from "./reference.ts";

/** The value that a reference stands for. @throws SecretsError that begins with where the reference was written */
export type ResolveSecret = (ref: SecretRef) => Promise<Secret>;

/** What resolving may need. */
export interface ResolverOptions {
  /** What files are relative to; the working directory unless given. */
  readonly directory?: string;
  readonly ask?: AskSecret;
  /** Opens what Ansible Vault has sealed. */
  readonly readVaulted?: ReadVaulted;
  /** Told what an operator should know: leases. */
  readonly note?: (text: string) => void;
}

/** Resolves references; each location is read once, however many references lead to it. */
export function secretResolver(options: ResolverOptions = {}): ResolveSecret {
  const providers = providersFor(options);
  const read = new Map<string, Promise<SecretDocument>>();
  return async (ref) => {
    const { provider, location, key } = ref;
    const at = `${provider}:${location}`;
    try {
      const document = read.get(at) ?? providers[provider].read(location);
      read.set(at, document);
      return pick(await document, key, ref.describe().replace(/#.*$/s, ""));
    } catch (cause) {
      if (!(cause instanceof KbError)) throw cause;
      const { detail, hint } = cause;
      throw new SecretsError(`${renderSource(ref.source)}: ${ref.describe()}: ${cause.message}`, {
        detail,
        hint,
        cause,
      });
    }
  };
}

function providersFor(options: ResolverOptions): Readonly<Record<SecretProviderName, SecretProvider>> {
  const { directory = process.cwd(), readVaulted = refuseVaulted, ask, note } = options;
  const vaulted = async (text: string, place: string): Promise<SecretDocument> => ({
    kind: "text",
    text: await readVaulted(text, place),
  });
  return {
    age: ageProvider({ directory, ...(ask === undefined ? {} : { ask }) }),
    env: environmentProvider,
    command: commandProvider(),
    vault: hashicorpProvider(note === undefined ? {} : { note }),
    "ansible-vault": { read: async (file) => vaulted(await readSealed(resolve(directory, file)), file) },
    "ansible-vault-text": { read: (text) => vaulted(text, "the value") },
  };
}

const refuseVaulted: ReadVaulted = async (_, place) => {
  throw noPassword(place);
};

async function readSealed(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new SecretsError(`cannot read ${file}`, {
      detail: cause instanceof Error ? cause.message : String(cause),
      cause,
    });
  }
}

/** Names of the vars of each host whose values are needed. */
export type UsedVars = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * The inventory with the secrets that are used in place of the references to them; what is not used stays unread.
 * Variables of the environment come first, so that no program that another reference starts inherits them.
 * @throws SecretsError that names every reference that leads nowhere
 */
export async function resolveSecrets(
  inventory: Inventory,
  used: UsedVars,
  resolveOne: ResolveSecret,
): Promise<Inventory> {
  const needed = [...inventory.hosts.values()].flatMap((host) =>
    [...host.vars].flatMap(([name, { value }]) => (used.get(host.name)?.has(name) === true ? refsIn(value) : [])),
  );
  if (needed.length === 0) return inventory;
  const inOrder = [...new Set(needed)].toSorted((a, b) => Number(b.provider === "env") - Number(a.provider === "env"));
  const secrets = new Map<SecretRef, Secret>();
  const failures: SecretsError[] = [];
  for (const ref of inOrder) {
    try {
      secrets.set(ref, await resolveOne(ref));
    } catch (cause) {
      if (!(cause instanceof SecretsError)) throw cause;
      failures.push(cause);
    }
  }
  refuse(failures);
  const hosts = [...inventory.hosts].map(([name, host]) => [name, withSecrets(host, secrets)] as const);
  return { ...inventory, hosts: new Map(hosts) };
}

function refuse([first, ...others]: readonly SecretsError[]): void {
  if (first === undefined) return;
  if (others.length === 0) throw first;
  const lines = [first, ...others].flatMap(({ message, detail }) => [
    message,
    ...(detail === undefined ? [] : detail.split("\n").map((line) => `  ${line}`)),
  ]);
  throw new SecretsError(`${others.length + 1} secrets cannot be read`, { detail: lines.join("\n"), hint: first.hint });
}

/** The references in a value, at any depth. */
export function refsIn(value: unknown): readonly SecretRef[] {
  if (value instanceof SecretRef) return [value];
  if (typeof value !== "object" || value === null || value instanceof Secret) return [];
  return Object.values(value).flatMap(refsIn);
}

function withSecrets(host: InventoryHost, secrets: ReadonlyMap<SecretRef, Secret>): InventoryHost {
  const fill = (value: unknown): unknown => {
    if (value instanceof SecretRef) return secrets.get(value) ?? value;
    if (typeof value !== "object" || value === null || value instanceof Secret) return value;
    if (Array.isArray(value)) return value.map(fill);
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, fill(part)]));
  };
  const vars = [...host.vars].map(([name, sourced]): [string, Sourced] => [
    name,
    { ...sourced, value: fill(sourced.value) },
  ]);
  return { ...host, vars: new Map(vars) };
}

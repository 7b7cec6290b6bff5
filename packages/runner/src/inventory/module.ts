import { pathToFileURL } from "node:url";
import type * as z from "zod";
import { InventoryError, KbError } from "../errors.ts";
import { parseSecretRef, type SecretRef } from "../secrets/reference.ts";
import type { InventoryBuilder } from "./builder.ts";
import { plainValue } from "./data.ts";
import { parseHostEntry } from "./host-name.ts";
import { type Source, suggest } from "./inventory.ts";
import { shown } from "./read-text.ts";
import type { ConnectionVars } from "./target.ts";

/** Vars of a host or group: Ansible's names for connections, and whatever else playbooks ask for. */
export type VarsInput = z.input<typeof ConnectionVars> & { readonly [name: string]: unknown };

/** A group, as {@link defineInventory} takes it. */
export interface GroupInput {
  /** Names, or names with their vars; a name may be a range (`web[01:20]`). */
  readonly hosts?: readonly string[] | { readonly [name: string]: VarsInput };
  readonly vars?: VarsInput;
  /** Names of groups in this one. */
  readonly children?: readonly string[];
}

/** Groups by name. */
export type GroupsInput = { readonly [group: string]: GroupInput };

/** What makes an inventory: asked once a run. */
export type InventorySource = () => GroupsInput | Promise<GroupsInput>;

/**
 * An inventory that a program makes: the default export of a file that `-i` names.
 *
 * ```ts
 * export default defineInventory(async () => ({
 *   mariadb: { hosts: { "maria-01": { ansible_host: "10.0.0.170", root_password: secretRef("env:ROOT_PASSWORD") } } },
 * }));
 * ```
 */
export function defineInventory(source: InventorySource): InventorySource {
  return source;
}

/** A secret that a program's inventory names, as `!secret` does in YAML. @throws SecretsError where it is none */
export function secretRef(reference: string): SecretRef {
  return parseSecretRef(reference, { file: "secretRef", line: 0, column: 0 });
}

const TIMEOUT_MS = 60_000;

/**
 * Adds what a TypeScript or JavaScript module's default export gives, which has a minute for it.
 * @throws InventoryError where it does not load, throws, or gives something else
 */
export async function addModule(file: string, builder: InventoryBuilder, timeoutMs = TIMEOUT_MS): Promise<void> {
  const name = shown(file);
  const groups = await ask(file, name, timeoutMs);
  const source: Source = { file: name, line: 0, column: 0 };
  if (!isRecord(groups)) throw new InventoryError(`${name}: an inventory is an object of groups`);
  for (const [group, input] of Object.entries(groups)) addGroup(group, input, source, builder);
}

async function ask(file: string, name: string, timeoutMs: number): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  try {
    const loaded: unknown = await import(pathToFileURL(file).href);
    const source = isRecord(loaded) ? loaded["default"] : undefined;
    if (typeof source !== "function") {
      throw new InventoryError(`${name} exports no inventory`, {
        hint: "write: export default defineInventory(async () => ({ mariadb: { hosts: [...] } }))",
      });
    }
    const late = new Promise<never>((_, reject) => {
      const error = new InventoryError(`${name} gave no inventory within ${timeoutMs / 1000} s`);
      timer = setTimeout(() => reject(error), timeoutMs);
    });
    return await Promise.race([Promise.resolve(source()), late]);
  } catch (cause) {
    if (cause instanceof KbError) throw cause;
    const place =
      cause instanceof Error ? (cause.stack ?? "").split("\n").find((line) => line.includes(file)) : undefined;
    throw new InventoryError(`cannot read the inventory ${name}`, {
      detail: [cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause), place?.trim()]
        .filter((line) => line !== undefined)
        .join("\n"),
      cause,
    });
  } finally {
    clearTimeout(timer);
  }
}

const GROUP_KEYS = ["hosts", "vars", "children"];

function addGroup(name: string, input: unknown, source: Source, builder: InventoryBuilder): void {
  const refuse: (problem: string, hint?: string) => never = (problem, hint) => {
    throw new InventoryError(`${source.file}: group ${name}: ${problem}`, { hint });
  };
  builder.group(name, source, undefined);
  if (!isRecord(input)) refuse("it is an object of hosts, vars and children");
  const unknown = Object.keys(input).find((key) => !GROUP_KEYS.includes(key));
  if (unknown !== undefined) refuse(`there is no key "${unknown}"`, suggest(unknown, GROUP_KEYS));
  const { hosts = [], vars = {}, children = [] } = input;
  if (!isRecord(vars)) refuse("vars are an object");
  for (const [key, value] of Object.entries(vars)) builder.groupVar(name, key, plainValue(value, source));
  if (!Array.isArray(children)) refuse("children are a list of names");
  for (const child of children) builder.group(String(child), source, name);
  const entries = Array.isArray(hosts) ? hosts.map((host) => [host, {}] as const) : Object.entries(hosts ?? {});
  for (const [host, hostVars] of entries) {
    if (typeof host !== "string" || !isRecord(hostVars)) refuse("hosts are names, or names with their vars");
    addHosts(host, hostVars, name, source, builder);
  }
}

function addHosts(
  entry: string,
  vars: Readonly<Record<string, unknown>>,
  group: string,
  source: Source,
  builder: InventoryBuilder,
): void {
  const { names, port } = parseHostEntry(entry, source);
  for (const host of names) {
    builder.host(host, source, group);
    if (port !== undefined) builder.hostVar(host, "ansible_port", { value: port, source });
    for (const [key, value] of Object.entries(vars)) builder.hostVar(host, key, plainValue(value, source));
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

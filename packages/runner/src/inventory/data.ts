import { InventoryError } from "../errors.ts";
import { Secret } from "../secret.ts";
import { SecretRef } from "../secrets/reference.ts";
import type { InventoryBuilder } from "./builder.ts";
import { hasTemplate, type Source, type Sourced } from "./inventory.ts";

/** Ansible's JSON for an inventory, as scripts print it for `--list`, and what came of asking `--host`. */
export type HostVars = Readonly<Record<string, unknown>>;

type Group = {
  readonly hosts?: unknown;
  readonly vars?: unknown;
  readonly children?: unknown;
};

/**
 * Adds what an inventory script printed: groups with `hosts`, `vars` and `children`, a bare list of hosts, or a host's
 * vars in place of a group, as Ansible takes them.
 * @returns the vars of hosts, where `_meta` has them; otherwise each host has to be asked for
 * @throws InventoryError that names the group
 * @see https://docs.ansible.com/ansible/latest/dev_guide/developing_inventory.html#script-conventions
 */
export function addListing(file: string, listing: unknown, builder: InventoryBuilder): HostVars | undefined {
  const source: Source = { file, line: 0, column: 0 };
  const groups = record(listing, `${file}: an inventory is an object of groups`);
  let hostVars: HostVars | undefined;
  for (const [name, value] of Object.entries(groups)) {
    if (name === "_meta") {
      const meta = record(value, `${file}: _meta is an object`);
      if (meta["hostvars"] !== undefined) hostVars = record(meta["hostvars"], `${file}: _meta.hostvars is an object`);
    } else addGroup(name, toGroup(name, value, file), source, builder);
  }
  return hostVars;
}

/** Adds the vars of one host. @throws InventoryError where they are no object */
export function addHostVars(file: string, host: string, vars: unknown, builder: InventoryBuilder): void {
  const source: Source = { file, line: 0, column: 0 };
  for (const [key, value] of Object.entries(record(vars, `${file}: the vars of ${host} are an object`))) {
    builder.hostVar(host, key, plainValue(value, source));
  }
}

/** A value as it came, with Ansible's marks of unsafe and vaulted texts taken for what they mean. */
export function plainValue(value: unknown, source: Source): Sourced {
  const templates: Source[] = [];
  const converted = convert(value, source, templates);
  return { value: converted, source, ...(templates.length === 0 ? {} : { templates }) };
}

function convert(value: unknown, source: Source, templates: Source[]): unknown {
  if (typeof value === "string") {
    if (hasTemplate(value)) templates.push(source);
    return value;
  }
  if (Array.isArray(value)) return value.map((item) => convert(item, source, templates));
  if (typeof value !== "object" || value === null || value instanceof Secret) return value;
  if (value instanceof SecretRef) {
    return new SecretRef(value.provider, value.location, value.key, source);
  }
  const [[key, inner] = [], ...more] = Object.entries(value);
  if (more.length === 0 && typeof inner === "string") {
    if (key === "__ansible_unsafe") return inner;
    if (key === "__ansible_vault") return new SecretRef("ansible-vault-text", inner, undefined, source);
  }
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, convert(part, source, templates)]));
}

function toGroup(name: string, value: unknown, file: string): Group {
  if (Array.isArray(value)) return { hosts: value };
  const group = record(value, `${file}: group ${name} is a list of hosts, or an object`);
  return "hosts" in group || "vars" in group || "children" in group ? group : { hosts: [name], vars: group };
}

function addGroup(name: string, { hosts, vars, children }: Group, source: Source, builder: InventoryBuilder): void {
  builder.group(name, source, undefined);
  for (const host of names(hosts, `${source.file}: the hosts of group ${name} are a list of names`)) {
    builder.host(host, source, name);
  }
  for (const [key, value] of Object.entries(
    record(vars ?? {}, `${source.file}: the vars of group ${name} are an object`),
  )) {
    builder.groupVar(name, key, plainValue(value, source));
  }
  for (const child of names(children, `${source.file}: the children of group ${name} are a list of names`)) {
    builder.group(child, source, name);
  }
}

function names(value: unknown, rule: string): readonly string[] {
  if (value === undefined || value === null) return [];
  const isName = (item: unknown): item is string => typeof item === "string" && item !== "" && !/\p{Cc}/u.test(item);
  if (Array.isArray(value) && value.every(isName)) return value;
  throw new InventoryError(rule);
}

function record(value: unknown, rule: string): Readonly<Record<string, unknown>> {
  // Erasure point: any object may be asked for any name.
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new InventoryError(rule);
}

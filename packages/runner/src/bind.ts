import type * as z from "zod";
import { InventoryError, ParamsError, PlaybookError } from "./errors.ts";
import { type Inventory, type InventoryHost, renderSource, suggest } from "./inventory/inventory.ts";
import { nearest } from "./inventory/nearest.ts";
import { CONNECTION_VARS } from "./inventory/target.ts";
import { refuseTemplate } from "./inventory/template.ts";
import { describeIssues } from "./module.ts";
import type { Playbook, Schemas } from "./playbook.ts";
import { Secret } from "./secret.ts";
import { SecretRef } from "./secrets/reference.ts";

/** The vars of each host of one group, in the types of the group's schema. */
export type BoundGroup = ReadonlyMap<string, Readonly<Record<string, unknown>>>;

/**
 * Holds an inventory against what a playbook needs, before any connection is made: groups, vars, misspelt names.
 * @throws PlaybookError for a missing group; InventoryError for a var, with file, line and column
 */
export function bindGroups(playbook: Playbook, inventory: Inventory): ReadonlyMap<string, BoundGroup> {
  const bound = new Map<string, BoundGroup>();
  for (const [name, schema] of Object.entries(playbook.groups)) {
    const group = inventory.groups.get(name);
    if (group === undefined || group.hosts.length === 0) {
      throw new PlaybookError(`the playbook ${playbook.name} needs a group "${name}" with hosts in it`, {
        detail: `read: ${inventory.file}`,
        hint: suggest(name, inventory.groups.keys()),
      });
    }
    bound.set(name, bindGroup(name, schema, inventory, playbook));
  }
  for (const [name, schema] of Object.entries(playbook.optionalGroups)) {
    bound.set(name, bindGroup(name, schema, inventory, playbook));
  }
  return bound;
}

function bindGroup(name: string, schema: z.ZodObject, inventory: Inventory, playbook: Playbook): BoundGroup {
  const members = inventory.groups.get(name)?.hosts ?? [];
  return new Map(
    members.flatMap((member) => {
      const host = inventory.hosts.get(member);
      if (host === undefined) return [];
      refuseMisspelt(host, playbook);
      return [[member, parseVars(host, name, schema)] as const];
    }),
  );
}

/** Everything that {@link bindGroups}, which stops at the first, refuses about vars: each host of each group once. */
export function refusedVars(playbook: Playbook, inventory: Inventory): readonly unknown[] {
  return Object.entries({ ...playbook.groups, ...playbook.optionalGroups }).flatMap(([name, schema]) =>
    (inventory.groups.get(name)?.hosts ?? []).flatMap((member) => {
      const host = inventory.hosts.get(member);
      if (host === undefined) return [];
      try {
        refuseMisspelt(host, playbook);
        parseVars(host, name, schema);
        return [];
      } catch (error) {
        return [error];
      }
    }),
  );
}

/**
 * The vars of each host that a run of a playbook reads: what the schemas of its groups name, all of them where a schema
 * is loose, and what says how to connect.
 */
export function usedVars(playbook: Playbook, inventory: Inventory): ReadonlyMap<string, ReadonlySet<string>> {
  const used = new Map<string, Set<string>>();
  const use = (host: string, names: Iterable<string>): void => {
    used.set(host, new Set([...(used.get(host) ?? CONNECTION_VARS), ...names]));
  };
  for (const [group, schema] of Object.entries({ ...playbook.optionalGroups, ...playbook.groups })) {
    for (const name of inventory.groups.get(group)?.hosts ?? []) {
      const vars = inventory.hosts.get(name)?.vars;
      use(name, namedBy(schema) ?? vars?.keys() ?? []);
      const around = vars?.get("kb_docker_host")?.value;
      if (typeof around === "string") use(around, []);
    }
  }
  return used;
}

/** The vars that a schema names; undefined for a loose one, which takes whatever there is. */
function namedBy(schema: z.ZodObject): readonly string[] | undefined {
  const { catchall } = schema.def;
  return catchall === undefined || catchall._zod.def.type === "never" ? Object.keys(schema.shape) : undefined;
}

function parseVars(host: InventoryHost, group: string, schema: z.ZodObject): Readonly<Record<string, unknown>> {
  for (const name of namedBy(schema) ?? host.vars.keys()) {
    const sourced = host.vars.get(name);
    if (sourced !== undefined) refuseTemplate(`${host.name} (group ${group})`, name, sourced);
  }
  const raw = Object.fromEntries([...host.vars].map(([key, { value }]) => [key, value]));
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const [key = "", ...inner] = issue?.path ?? [];
  const sourced = host.vars.get(String(key));
  const place = sourced === undefined ? host.source : (sourced.at?.(inner) ?? sourced.source);
  const what =
    sourced === undefined ? `the var ${String(key)} is missing` : `${issue?.path.join(".")}: ${issue?.message}`;
  throw new InventoryError(`${renderSource(place)}: ${host.name} (group ${group}): ${what}`, {
    hint: sourced === undefined ? suggest(String(key), [...host.vars.keys()]) : hintForSecret(sourced.value, inner),
  });
}

/** A secret is no text: what takes one has to say so, lest it be told where texts are. */
function hintForSecret(value: unknown, path: readonly PropertyKey[]): string | undefined {
  const part = path.reduce<unknown>(
    // Erasure point: the path is one that the schema went.
    (inner, key) =>
      typeof inner === "object" && inner !== null ? (inner as Record<PropertyKey, unknown>)[key] : undefined,
    value,
  );
  if (part instanceof SecretRef) return "the secret that is named there was not resolved";
  return part instanceof Secret ? "the value is a secret: in the schema, secretParam() takes one" : undefined;
}

/**
 * A var that no schema of the playbook knows may be another playbook's; one that is nearly a known name, which the
 * host does not have, is a slip of the pen.
 */
function refuseMisspelt(host: InventoryHost, playbook: Playbook): void {
  const schemas: readonly Schemas[] = [playbook.groups, playbook.optionalGroups];
  const known = new Set(
    schemas.flatMap((group) => Object.values(group).flatMap((schema) => Object.keys(schema.shape))),
  );
  for (const name of CONNECTION_VARS) known.add(name);
  const unset = [...known].filter((name) => !host.vars.has(name));
  for (const [name, { source }] of host.vars) {
    if (known.has(name)) continue;
    const meant = nearest(name, unset);
    if (meant === undefined || Math.abs(meant.length - name.length) > 2 || name.length < 5) continue;
    throw new InventoryError(`${renderSource(source)}: ${host.name} has a var ${name}, which nothing reads`, {
      hint: `did you mean ${meant}?`,
    });
  }
}

/**
 * The values of `-e NAME=VALUE`, in the types of the playbook's params.
 * @throws ParamsError for an unknown name, with the nearest, or a refused value
 */
export function bindParams(playbook: Playbook, given: Readonly<Record<string, string>>): Record<string, unknown> {
  const known = Object.keys(playbook.params?.shape ?? {});
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue;
    throw new ParamsError(`the playbook ${playbook.name} has no param "${name}"`, { hint: suggest(name, known) });
  }
  if (playbook.params === undefined) return {};
  const parsed = playbook.params.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new ParamsError(`bad params for the playbook ${playbook.name}`, { detail: describeIssues(parsed.error) });
}

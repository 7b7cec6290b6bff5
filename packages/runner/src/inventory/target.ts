import { homedir, userInfo } from "node:os";
import * as z from "zod";
import { InventoryError } from "../errors.ts";
import { Secret } from "../secret.ts";
import type { Target } from "../transport/transport.ts";
import { type ConnectionDefaults, type InventoryHost, renderSource } from "./inventory.ts";

const text = z.union([z.string(), z.number()]).transform(String);

/** Ansible's connection variables, as far as they are used here. */
const ConnectionVars = z.object({
  ansible_host: text.optional(),
  ansible_port: z.coerce.number().int().min(1).max(65535).default(22),
  ansible_user: text.optional(),
  ansible_connection: z.enum(["ssh", "local"]).default("ssh"),
  ansible_ssh_private_key_file: text.optional(),
  ansible_become: z.boolean().optional(),
  ansible_become_user: text.default("root"),
  ansible_become_password: text.optional(),
});

/** Names of the variables that say how to reach a host. */
export const CONNECTION_VARS: readonly string[] = Object.keys(ConnectionVars.shape);

/**
 * How to reach a host, from its connection variables (`ansible_host`, `ansible_user`, ...).
 * A user other than root becomes root by sudo unless `ansible_become: false` is set.
 * @throws InventoryError with file, line and column
 */
export function targetOf(host: InventoryHost, defaults: ConnectionDefaults): Target {
  const raw = Object.fromEntries([...host.vars].map(([name, { value }]) => [name, value]));
  const parsed = ConnectionVars.safeParse(raw);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const sourced = host.vars.get(String(issue?.path[0]));
    throw new InventoryError(
      `${renderSource(sourced?.source ?? host.source)}: ${host.name}: ${issue?.path.join(".")}: ${issue?.message}`,
    );
  }
  const vars = parsed.data;
  const user = vars.ansible_user ?? (vars.ansible_connection === "local" ? userInfo().username : "root");
  const keyFile = vars.ansible_ssh_private_key_file ?? defaults.privateKeyFile;
  const password =
    vars.ansible_become_password === undefined ? defaults.becomePassword : new Secret(vars.ansible_become_password);
  return {
    name: host.name,
    address: vars.ansible_host ?? host.name,
    port: vars.ansible_port,
    user,
    connection: vars.ansible_connection,
    ...(keyFile === undefined ? {} : { privateKeyFile: keyFile.replace(/^~(?=\/)/, homedir()) }),
    become: vars.ansible_become ?? user !== "root",
    becomeUser: vars.ansible_become_user,
    ...(password === undefined ? {} : { becomePassword: password }),
  };
}

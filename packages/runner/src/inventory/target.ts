import { homedir, userInfo } from "node:os";
import * as z from "zod";
import { InventoryError } from "../errors.ts";
import { Secret } from "../secret.ts";
import { SecretRef } from "../secrets/reference.ts";
import type { Target } from "../transport/transport.ts";
import { type ConnectionDefaults, type Inventory, type InventoryHost, renderSource, suggest } from "./inventory.ts";
import { nearest } from "./nearest.ts";
import { refuseTemplate } from "./template.ts";
import { splitWords } from "./words.ts";

const text = z.union([z.string(), z.number()]).transform(String);
const secret = z.union([z.instanceof(Secret), text.transform((value) => new Secret(value))]);
const port = z.coerce.number().int().min(1).max(65535);

/**
 * Ansible's names of ways in, and ours. Ansible's `ssh` is the built-in transport: where the system's ssh(1) is needed,
 * `kb_connection: openssh` says so.
 */
const CONNECTIONS = {
  ssh: "ssh",
  smart: "ssh",
  paramiko: "ssh",
  paramiko_ssh: "ssh",
  "ansible.builtin.ssh": "ssh",
  "ansible.builtin.paramiko_ssh": "ssh",
  openssh: "openssh",
  local: "local",
  "ansible.builtin.local": "local",
  docker: "docker",
  "community.docker.docker": "docker",
  "community.docker.docker_api": "docker",
} as const satisfies Record<string, Target["connection"]>;

const Connection = z
  .enum(Object.keys(CONNECTIONS) as [keyof typeof CONNECTIONS])
  .transform((name): Target["connection"] => CONNECTIONS[name]);

/** Truth in the words of INI inventories, where `true` is a text. @see https://docs.ansible.com/ansible/latest/collections/ansible/builtin/bool_filter.html */
const truth = z.union([
  z.boolean(),
  z.union([z.string(), z.number()]).transform((value, context) => {
    const word = String(value).toLowerCase();
    if (/^(?:y|yes|on|1|true|t)$/.test(word)) return true;
    if (/^(?:n|no|off|0|false|f)$/.test(word)) return false;
    context.addIssue("Invalid input: expected yes or no");
    return z.NEVER;
  }),
]);

const METHODS = {
  sudo: "sudo",
  "ansible.builtin.sudo": "sudo",
  su: "su",
  "ansible.builtin.su": "su",
  doas: "doas",
  "community.general.doas": "doas",
} as const satisfies Record<string, Target["becomeMethod"]>;

const BecomeMethod = z
  .enum(Object.keys(METHODS) as [keyof typeof METHODS], "use sudo, su or doas")
  .transform((name): NonNullable<Target["becomeMethod"]> => METHODS[name]);

/** Ansible's connection variables, as far as they are used here, and ours. */
export const ConnectionVars = z.object({
  ansible_host: text.optional(),
  ansible_ssh_host: text.optional(),
  ansible_port: port.optional(),
  ansible_ssh_port: port.optional(),
  ansible_user: text.optional(),
  ansible_ssh_user: text.optional(),
  ansible_connection: Connection.optional(),
  /** Before `ansible_connection`, so that an inventory that Ansible reads, too, can say `openssh`. */
  kb_connection: z.enum(["ssh", "openssh", "local", "docker"]).optional(),
  /** The host of the inventory that a container runs on. */
  kb_docker_host: text.optional(),
  ansible_ssh_private_key_file: text.optional(),
  ansible_private_key_file: text.optional(),
  ansible_password: secret.optional(),
  ansible_ssh_password: secret.optional(),
  ansible_ssh_pass: secret.optional(),
  ansible_ssh_common_args: text.optional(),
  ansible_ssh_extra_args: text.optional(),
  ansible_become: truth.optional(),
  ansible_become_method: BecomeMethod.optional(),
  ansible_become_user: text.default("root"),
  ansible_become_password: secret.optional(),
  ansible_become_pass: secret.optional(),
});

type Vars = z.infer<typeof ConnectionVars>;

/** Names of the variables that say how to reach a host. */
export const CONNECTION_VARS: readonly string[] = Object.keys(ConnectionVars.shape);

const PASSWORD_VARS: readonly string[] = CONNECTION_VARS.filter((name) => /pass(?:word)?$/.test(name));

/**
 * Ansible's variables that have nothing to act on here: there is no Python on hosts, no file transfer apart from the
 * shell, no ssh process to tune.
 */
const WITHOUT_MEANING =
  /^ansible_(?:\w+_interpreter|interpreter_python\w*|shell_\w+|remote_tmp|async_dir|(?:ssh_)?pipelining|ssh_transfer_method|scp_\w+|sftp_\w+|ssh_scp_\w+|ssh_control_\w+|control_path\w*|ssh_retries|ssh_use_tty|group_priority|python_\w+)$/;

/**
 * How to reach a host, from its connection variables (`ansible_host`, `ansible_user`, ...).
 * @param hosts the inventory's hosts, where containers find theirs
 * @throws InventoryError with file, line and column
 */
export function targetOf(
  host: InventoryHost,
  defaults: ConnectionDefaults,
  hosts: ReadonlyMap<string, InventoryHost> = new Map(),
): Target {
  const vars = readVars(host);
  const named = vars.kb_connection ?? vars.ansible_connection;
  const connection =
    named === undefined || named === "ssh" ? (vars.kb_connection ?? defaults.connection ?? "ssh") : named;
  const user = vars.ansible_user ?? vars.ansible_ssh_user ?? (connection === "local" ? userInfo().username : undefined);
  const keyFile = vars.ansible_ssh_private_key_file ?? vars.ansible_private_key_file ?? defaults.privateKeyFile;
  const password = vars.ansible_password ?? vars.ansible_ssh_password ?? vars.ansible_ssh_pass ?? defaults.password;
  const becomePassword = vars.ansible_become_password ?? vars.ansible_become_pass ?? defaults.becomePassword;
  const sshArgs = [vars.ansible_ssh_common_args, vars.ansible_ssh_extra_args].flatMap((args) => splitWords(args ?? ""));
  return {
    name: host.name,
    address: vars.ansible_host ?? vars.ansible_ssh_host ?? host.name,
    ...optional("port", vars.ansible_port ?? vars.ansible_ssh_port),
    ...optional("user", user),
    connection,
    ...optional("privateKeyFile", keyFile?.replace(/^~(?=\/)/, homedir())),
    ...optional("password", password),
    ...(sshArgs.length === 0 ? {} : { sshArgs }),
    ...(connection === "docker" ? { through: dockerHost(host, vars, defaults, hosts) } : {}),
    ...optional("become", vars.ansible_become),
    ...optional("becomeMethod", vars.ansible_become_method),
    becomeUser: vars.ansible_become_user,
    ...optional("becomePassword", becomePassword),
  };
}

/**
 * Names each variable of Ansible's that looks as if it said something about connections and that nothing here reads:
 * once a place, however many hosts have it.
 */
export function warnOfUnknownVars(inventory: Inventory): readonly string[] {
  const warnings = new Set<string>();
  for (const host of inventory.hosts.values()) {
    for (const [name, { source }] of host.vars) {
      if (!name.startsWith("ansible_") || CONNECTION_VARS.includes(name) || WITHOUT_MEANING.test(name)) continue;
      // The prefix that all have in common makes none of them near.
      const near = nearest(
        name.replace("ansible_", ""),
        CONNECTION_VARS.map((known) => known.replace("ansible_", "")),
      );
      const hint = near === undefined ? "" : `; did you mean ansible_${near}?`;
      warnings.add(`${renderSource(source)}: ${name} is Ansible's, and has no effect here${hint}`);
    }
  }
  return [...warnings];
}

/** What no schema can say of a value: that it is a template, or hidden where it has to be told. */
function refuseUnusable(host: InventoryHost): void {
  for (const name of CONNECTION_VARS) {
    const sourced = host.vars.get(name);
    if (sourced === undefined) continue;
    refuseTemplate(host.name, name, sourced);
    const isHidden = sourced.value instanceof Secret && !PASSWORD_VARS.includes(name);
    if (!isHidden && !(sourced.value instanceof SecretRef)) continue;
    throw new InventoryError(
      `${renderSource(sourced.source)}: ${host.name}: ${name} is a secret${isHidden ? "" : " that was not resolved"}`,
      { hint: isHidden ? "how a host is reached is told in what kb prints: write it as it is" : undefined },
    );
  }
}

function readVars(host: InventoryHost): Vars {
  refuseUnusable(host);
  const raw = Object.fromEntries([...host.vars].map(([name, { value }]) => [name, value]));
  const parsed = ConnectionVars.safeParse(raw);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const sourced = host.vars.get(String(issue?.path[0]));
  throw new InventoryError(
    `${renderSource(sourced?.source ?? host.source)}: ${host.name}: ${issue?.path.join(".")}: ${issue?.message}`,
  );
}

function dockerHost(
  host: InventoryHost,
  vars: Vars,
  defaults: ConnectionDefaults,
  hosts: ReadonlyMap<string, InventoryHost>,
): Target {
  const name = vars.kb_docker_host;
  const place = renderSource(host.vars.get("kb_docker_host")?.source ?? host.source);
  if (name === undefined) {
    throw new InventoryError(`${place}: ${host.name} is a container, but of which host?`, {
      hint: "set kb_docker_host to the inventory's name of the host that it runs on",
    });
  }
  const found = hosts.get(name);
  if (found === undefined || name === host.name) {
    throw new InventoryError(`${place}: ${host.name}: kb_docker_host: there is no other host ${name}`, {
      hint: suggest(name, hosts.keys()),
    });
  }
  const through = targetOf(found, defaults, hosts.size === 0 ? hosts : without(hosts, host.name));
  if (through.connection !== "docker") return through;
  throw new InventoryError(`${place}: ${host.name}: ${name} is itself a container`);
}

/** Two containers that name each other end at the second. */
function without(hosts: ReadonlyMap<string, InventoryHost>, name: string): ReadonlyMap<string, InventoryHost> {
  return new Map([...hosts].filter(([key]) => key !== name));
}

function optional<K extends string, T>(key: K, value: T | undefined): { readonly [name in K]?: T } {
  // Erasure point: a computed key has no type of its own.
  return (value === undefined ? {} : { [key]: value }) as { readonly [name in K]?: T };
}

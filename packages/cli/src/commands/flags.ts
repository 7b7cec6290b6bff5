import type { TaskSelection } from "@keybuzz/runner";
import * as Flags from "@oclif/core/flags";
import type { ConnectionRequest } from "../services/connection.ts";
import { giveVaultId } from "../services/vault-passwords.ts";

/** The inventory, wherever one is read. */
export const inventoryFlag = {
  inventory: Flags.string({
    char: "i",
    env: "KB_INVENTORY",
    helpValue: "FILE",
    description:
      "inventory: YAML, INI, TSV, a script, a .ts module, a folder of them, or a,b,; inventories/keybuzz.yml",
  }),
  "vault-id": Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    helpValue: "LABEL@FILE",
    helpGroup: "ANSIBLE VAULT",
    description: "password file of a label, a program that prints it, or LABEL@prompt",
    parse: async (id) => giveVaultId(id),
  }),
  "vault-password-file": Flags.string({
    helpValue: "FILE",
    helpGroup: "ANSIBLE VAULT",
    description: "file with the password, or a program that prints it",
    parse: async (file) => giveVaultId(file),
  }),
  "ask-vault-pass": Flags.boolean({
    helpGroup: "ANSIBLE VAULT",
    description: "ask for the password on the terminal",
    parse: async (wanted) => {
      if (wanted) giveVaultId("prompt");
      return wanted;
    },
  }),
};

/** How to reach hosts. */
export const connectionFlags = {
  "private-key": Flags.string({
    env: "KB_SSH_KEY",
    helpValue: "FILE",
    helpGroup: "CONNECTION",
    description: "private key for hosts that name none; else ~/.ssh/config's, the ssh agent's and ~/.ssh/id_*",
  }),
  "known-hosts": Flags.string({
    env: "KB_KNOWN_HOSTS",
    helpValue: "FILE",
    helpGroup: "CONNECTION",
    description: "known host keys; ~/.ssh/config's, ~/.ssh/known_hosts and /etc/ssh/ssh_known_hosts unless given",
  }),
  "host-keys": Flags.option({ options: ["strict", "accept-new", "off"] as const })({
    helpGroup: "CONNECTION",
    description: "trust known hosts only, also hosts seen for the first time, or anybody; strict unless given",
  }),
  "ssh-config": Flags.string({
    env: "KB_SSH_CONFIG",
    helpValue: "FILE",
    helpGroup: "CONNECTION",
    description: "in place of ~/.ssh/config and /etc/ssh/ssh_config; none for neither",
  }),
  connection: Flags.option({ char: "c", options: ["ssh", "openssh"] as const })({
    helpGroup: "CONNECTION",
    description: "ssh is built in; openssh is the system's ssh, for certificates, security keys and ProxyCommand",
  }),
  "ask-pass": Flags.boolean({
    char: "k",
    helpGroup: "CONNECTION",
    description: "ask for the ssh password on the terminal",
  }),
  "ask-become-pass": Flags.boolean({
    helpGroup: "CONNECTION",
    description: "ask for the sudo password on the terminal",
  }),
  forks: Flags.integer({
    char: "f",
    min: 1,
    helpValue: "N",
    helpGroup: "CONNECTION",
    description: "hosts at once; 50 unless given",
  }),
};

/** How to tell what happens. */
export const outputFlags = {
  json: Flags.boolean({ description: "one event a line, as JSON" }),
  verbose: Flags.boolean({
    char: "v",
    description: "unchanged tasks, what long actions print, round trips and stacks too",
  }),
};

/** How to tell what a playbook's run does. */
export const runOutputFlags = {
  ...outputFlags,
  quiet: Flags.boolean({ char: "q", description: "only changes, failures, warnings and the recap" }),
  oneline: Flags.boolean({ description: "one line a host, at the end" }),
  output: Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    helpValue: "KIND[=FILE]",
    description: "text, oneline, ndjson (as --json), junit or github; with =FILE there, and text on the screen",
  }),
};

/** Which playbook, hosts and params. */
export const selectionFlags = {
  limit: Flags.string({
    char: "l",
    helpValue: "PATTERN",
    description: "work on these hosts only: names, groups, globs, mariadb[0], &and, !not, @FILE with one a line",
  }),
  param: Flags.string({
    char: "e",
    multiple: true,
    multipleNonGreedy: true,
    helpValue: "NAME=VALUE",
    description: "param of the playbook; may be given several times",
  }),
};

/** Which of a playbook's tasks, by their tags. */
export const tagFlags = {
  tags: Flags.string({
    char: "t",
    multiple: true,
    multipleNonGreedy: true,
    delimiter: ",",
    helpValue: "TAG",
    helpGroup: "TASKS",
    description: "tasks with one of these tags (a,b), or with always; tagged, untagged and all are words of their own",
  }),
  "skip-tags": Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    delimiter: ",",
    helpValue: "TAG",
    helpGroup: "TASKS",
    description: "leave out tasks with one of these tags",
  }),
};

/** Which of a playbook's tasks, and how they are gone through. */
export const taskFlags = {
  ...tagFlags,
  "start-at": Flags.string({
    aliases: ["start-at-task"],
    helpValue: "TASK",
    helpGroup: "TASKS",
    description: "begin at the first task of this name; * stands for any text",
  }),
  step: Flags.boolean({ helpGroup: "TASKS", description: "ask before each task, all hosts a task at a time" }),
};

/** What a playbook would come to, in place of coming to it. */
export const listFlags = {
  "list-tasks": Flags.boolean({
    helpGroup: "LISTS",
    description: "list the tasks; connects only where the playbook itself asks hosts something",
  }),
  "list-tags": Flags.boolean({
    helpGroup: "LISTS",
    description: "list the tags of the tasks, as --list-tasks finds them",
  }),
  "list-hosts": Flags.boolean({
    helpGroup: "LISTS",
    description: "list the hosts of the playbook's groups; connects to none",
  }),
};

/** The values of {@link taskFlags}; undefined where all tasks are meant. */
export function taskSelection(flags: {
  readonly tags?: readonly string[] | undefined;
  readonly "skip-tags"?: readonly string[] | undefined;
  readonly "start-at"?: string | undefined;
}): TaskSelection | undefined {
  const { tags, "skip-tags": skip, "start-at": startAt } = flags;
  if (tags === undefined && skip === undefined && startAt === undefined) return undefined;
  return {
    ...(tags === undefined ? {} : { only: tags }),
    ...(skip === undefined ? {} : { skip }),
    ...(startAt === undefined ? {} : { startAt }),
  };
}

/** The values of {@link connectionFlags}, as services take them. */
export function connectionRequest(flags: {
  readonly "private-key"?: string | undefined;
  readonly "known-hosts"?: string | undefined;
  readonly "host-keys"?: ConnectionRequest["hostKeys"];
  readonly "ssh-config"?: string | undefined;
  readonly connection?: ConnectionRequest["connection"];
  readonly "ask-pass": boolean;
  readonly "ask-become-pass": boolean;
}): ConnectionRequest {
  return {
    privateKey: flags["private-key"],
    knownHosts: flags["known-hosts"],
    hostKeys: flags["host-keys"],
    sshConfig: flags["ssh-config"],
    connection: flags.connection,
    askPass: flags["ask-pass"],
    askBecomePass: flags["ask-become-pass"],
  };
}

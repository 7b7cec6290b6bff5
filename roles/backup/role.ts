import { apt, command, directory, file, service, systemdUnit, template, user } from "@keybuzz/modules";
import {
  ask,
  defineRole,
  type Host,
  type Hosts,
  RefusedError,
  Secret,
  secretParam,
  sh,
  type Task,
} from "@keybuzz/runner";
import * as z from "zod";
import { BACKUP, remote, renderConfig, STORE_USER } from "./config.ts";
import { BackupHost, type BackupVars } from "./params.ts";

export { BackupHost, StoreHost } from "./params.ts";

const ROOT = { owner: "root", group: "root" } as const;
const SCRIPTS = ["lib.sh", "backup.sh", "archive-binlogs.sh", "drill.sh"] as const;
/** A full backup may take as long as the store needs. */
const LONG_MS = 12 * 3_600_000;

type Node = Host<BackupVars>;

interface StoreAddress {
  readonly address: string;
  readonly hostKey: string;
}

/**
 * Backups of a cluster: full ones and binary logs, sent by whichever node is elected, encrypted before they leave it.
 * Gives what {@link recentBackup} and {@link drill} need.
 */
export async function backups(
  nodes: Hosts<BackupVars>,
  stores: Hosts<unknown>,
  params: { readonly clusterName: string; readonly recipients: readonly string[] },
): Promise<void> {
  const sftp = nodes.declared.some(({ vars }) => vars.backup_store.type === "sftp");
  if (sftp && stores.declared.length !== 1) {
    throw new RefusedError(
      `backups go to a directory on a host, and the group backup has ${stores.declared.length} hosts`,
      {
        hint: "give the group `backup` one host that is no node, or set backup_store to an S3 bucket",
      },
    );
  }
  await nodes.ensure((host) => [
    ...programs(host.vars),
    ...(sftp ? [key()] : []),
    ...scripts(),
    ...config(host, nodes, params),
  ]);
  const store = sftp ? await prepareStore(nodes, stores) : undefined;
  await nodes.ensure((host) => [...access(host, store), ...timers(host.vars)]);
}

function programs(vars: BackupVars): readonly Task[] {
  return [
    apt({ name: ["age", "rclone", "zstd"], install_recommends: false }),
    ...[BACKUP, `${BACKUP}/bin`].map((path) => directory({ path, mode: "0700", ...ROOT })),
    directory({ path: vars.backup_scratch, mode: "0711", ...ROOT }),
  ];
}

/** The node's own key for the store: it never leaves the node. */
function key(): Task {
  const path = `${BACKUP}/id_ed25519`;
  return command(
    {
      run: sh`rm -f ${path}.new ${path}.new.pub && ssh-keygen -q -t ed25519 -N '' -C "backup of $(hostname)" -f ${path}.new &&
mv -f ${path}.new.pub ${path}.pub && mv -f ${path}.new ${path}`,
      creates: path,
    },
    { name: "key for the backup store" },
  );
}

function scripts(): readonly Task[] {
  return SCRIPTS.map((name) =>
    file({
      path: `${BACKUP}/bin/${name === "lib.sh" ? name : name.replace(/\.sh$/, "")}`,
      src: new URL(`files/${name}`, import.meta.url),
      mode: name === "lib.sh" ? "0600" : "0700",
      ...ROOT,
    }),
  );
}

function config(
  host: Node,
  nodes: Hosts<BackupVars>,
  { clusterName, recipients }: { readonly clusterName: string; readonly recipients: readonly string[] },
): readonly Task[] {
  const members = nodes.declared.map(({ address }) => address);
  const content = renderConfig({
    name: host.name,
    address: host.address,
    members,
    recipients,
    clusterName,
    vars: host.vars,
  });
  return [file({ path: `${BACKUP}/config`, content, mode: "0600", ...ROOT })];
}

/** The account on the store's host, which the nodes' keys open for sftp and nothing else. */
async function prepareStore(nodes: Hosts<BackupVars>, stores: Hosts<unknown>): Promise<StoreAddress | undefined> {
  const keys = await nodes.probeDeclared(
    ask(sh`cat ${`${BACKUP}/id_ed25519.pub`} 2>/dev/null || true`, ({ stdout }) => stdout.trim()),
  );
  const lines = keys.flatMap(({ value }) => (value === "" ? [] : [`restrict,command="internal-sftp" ${value}\n`]));
  const home = `/var/lib/${STORE_USER}`;
  const path =
    nodes.declared.flatMap(({ vars }) => (vars.backup_store.type === "sftp" ? [vars.backup_store.path] : []))[0] ?? "";
  await stores.ensure([
    user({ name: STORE_USER, home, shell: "/usr/sbin/nologin", system: true }),
    directory({ path: `${home}/.ssh`, mode: "0700", owner: STORE_USER, group: STORE_USER }),
    file({
      path: `${home}/.ssh/authorized_keys`,
      content: lines.join(""),
      mode: "0600",
      owner: STORE_USER,
      group: STORE_USER,
    }),
    directory({ path, mode: "0700", owner: STORE_USER, group: STORE_USER }),
  ]);
  const [answer] = await stores.probeDeclared(
    ask(sh`cat /etc/ssh/ssh_host_ed25519_key.pub`, ({ stdout }) => stdout.trim().split(" ").slice(0, 2).join(" ")),
  );
  return answer === undefined ? undefined : { address: answer.host.address, hostKey: answer.value };
}

function access(host: Node, store: StoreAddress | undefined): readonly Task[] {
  return [
    ...(store === undefined
      ? []
      : [
          file({
            path: `${BACKUP}/known_hosts`,
            content: `${store.address} ${store.hostKey}\n`,
            mode: "0600",
            ...ROOT,
          }),
        ]),
    template({
      src: new URL("templates/rclone.conf.ejs", import.meta.url),
      dest: `${BACKUP}/rclone.conf`,
      vars: remote(host.vars, store?.address),
      mode: "0600",
      ...ROOT,
    }),
  ];
}

function timers(vars: BackupVars): readonly Task[] {
  const units = [
    {
      name: "keybuzz-backup",
      what: "Full backup of the MariaDB cluster",
      script: "backup",
      calendar: vars.backup_calendar,
      after: `ExecStopPost=${BACKUP}/bin/backup settle\n`,
    },
    {
      name: "keybuzz-binlogs",
      what: "Binary logs of the MariaDB cluster to the backup store",
      script: "archive-binlogs",
      calendar: vars.backup_binlog_calendar,
      after: "",
    },
  ];
  return units.flatMap(({ name, what, script, calendar, after }) => [
    systemdUnit({
      name: `${name}.service`,
      content: `[Unit]
Description=${what} (KeyBuzz)
After=network-online.target

[Service]
Type=oneshot
ExecStart=${BACKUP}/bin/${script}
${after}TimeoutStartSec=12h
# Clients come first.
Nice=10
IOSchedulingClass=idle
`,
    }),
    systemdUnit({
      name: `${name}.timer`,
      content: `[Unit]
Description=${what} (KeyBuzz)

[Timer]
OnCalendar=${calendar}
Persistent=true

[Install]
WantedBy=timers.target
`,
    }),
    service({
      name: `${name}.timer`,
      state: "started",
      enabled: true,
      restartedAfter: [`/etc/systemd/system/${name}.timer`],
    }),
  ]);
}

/** Sees to it that the store has a backup that is young enough: takes one where it has none. */
export const recentBackup = defineRole({
  name: "recent_backup",
  summary: "Takes a full backup where the newest is too old",
  params: z.strictObject({
    maxAgeHours: z
      .number()
      .min(0)
      .default(24)
      .describe("Oldest that the newest backup may be, in hours; 0: take one now."),
  }),
  host: BackupHost,
  async run({ hosts, params }) {
    const clocks = await clocksOf(hosts);
    const since = ({ name }: Node): number => (clocks.get(name) ?? 0) - Math.round(params.maxAgeHours * 3600);
    // Whoever is elected has taken it; the others' runs end at once.
    await hosts.ensure((host) => [
      command(
        {
          run: sh`systemctl start keybuzz-backup.service || { journalctl --no-pager -q -n 30 -u keybuzz-backup.service >&2; exit 1; }`,
          unless: sh`${`${BACKUP}/bin/backup`} recent ${since(host)}`,
          timeoutMs: LONG_MS,
        },
        { name: `a full backup younger than ${params.maxAgeHours} h` },
      ),
    ]);
  },
});

/** Restores a backup into a scratch server on one node and compares every table with what it was. */
export const drill = defineRole({
  name: "backup_drill",
  summary: "Restores a backup into a scratch server and proves its rows and checksums",
  params: z.strictObject({
    backup: z
      .string()
      .regex(/^[A-Za-z0-9._-]+$/)
      .default("newest")
      .describe("Name of the backup."),
    identity: secretParam().describe("The age identity that opens it."),
  }),
  host: BackupHost,
  async run({ hosts, params }) {
    const clocks = await clocksOf(hosts);
    await hosts.ensure((host) => [
      command(
        {
          run: sh`${`${BACKUP}/bin/drill`} ${params.backup}`,
          stdin: oneIdentity(params.identity),
          // A drill proves what holds now; one of yesterday does not count.
          unless: sh`[ -n "$(find ${`${BACKUP}/last-drill`} -newermt ${`@${clocks.get(host.name) ?? 0}`} 2>/dev/null)" ]`,
          timeoutMs: LONG_MS,
        },
        { name: `drill of backup ${params.backup}` },
      ),
    ]);
  },
});

/** What time it is on each host, in seconds since 1970: a clock that is off must not make an old backup a new one. */
async function clocksOf(hosts: Hosts<BackupVars>): Promise<ReadonlyMap<string, number>> {
  const answers = await hosts.probe(ask(sh`date +%s`, ({ stdout }) => Number(stdout)));
  return new Map(answers.map(({ host, value }) => [host.name, value]));
}

/** The line of an identity file that is the identity. */
function oneIdentity(file: Secret): Secret {
  return new Secret(/^AGE-SECRET-KEY-1\S+$/m.exec(file.reveal())?.[0] ?? "");
}

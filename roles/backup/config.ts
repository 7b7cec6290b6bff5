import { quoteShell, type Secret } from "@keybuzz/runner";
import type { BackupVars } from "./params.ts";

/** Folder of everything that takes backups on a node. */
export const BACKUP = "/opt/keybuzz/backup";

/** Account on the store's host that nodes log in to, for sftp alone. */
export const STORE_USER = "kb-backup";

/** What the scripts of one node know. */
export interface NodeConfig {
  readonly name: string;
  readonly address: string;
  /** Addresses of all members; the first is the preferred writer. */
  readonly members: readonly string[];
  readonly recipients: readonly string[];
  readonly clusterName: string;
  readonly vars: BackupVars;
}

/** `config`, which the scripts read as shell. */
export function renderConfig({ name, address, members, recipients, clusterName, vars }: NodeConfig): string {
  const values = {
    RUNTIME: vars.mariadb_runtime,
    IMAGE: vars.mariadb_image ?? `mariadb:${vars.mariadb_version}`,
    NODE: name,
    OWN: address,
    MEMBERS: members.join(" "),
    RECIPIENTS: [...recipients, ...vars.backup_recipients].join(" "),
    ROOT: rootOf(vars, clusterName),
    SCRATCH: vars.backup_scratch,
    KEEP_DAYS: String(vars.backup_keep_days),
    KEEP_LEAST: String(vars.backup_keep_least),
    FINGERPRINT: vars.backup_fingerprint ? "yes" : "no",
  };
  return `# Written by kb (roles/backup).\n${Object.entries(values)
    .map(([key, value]) => `${key}=${quoteShell(value)}\n`)
    .join("")}`;
}

/** The place in the store, as rclone names it. Clusters that share a store do not meet. */
function rootOf({ backup_store: store }: BackupVars, clusterName: string): string {
  const folder = store.type === "sftp" ? store.path : `${store.bucket}/${store.prefix}`;
  return `store:${folder}/${clusterName.replaceAll(/[^A-Za-z0-9._-]/g, "_")}`;
}

/**
 * The vars of `templates/rclone.conf.ejs`.
 * @see https://rclone.org/sftp/ and https://rclone.org/s3/
 */
export function remote(
  { backup_store: store }: BackupVars,
  host: string | undefined,
): { readonly options: Readonly<Record<string, string | Secret>> } {
  if (store.type === "sftp") {
    return {
      options: {
        type: "sftp",
        host: host ?? "",
        user: STORE_USER,
        key_file: `${BACKUP}/id_ed25519`,
        known_hosts_file: `${BACKUP}/known_hosts`,
        // The account may do nothing but sftp.
        shell_type: "none",
        md5sum_command: "none",
        sha1sum_command: "none",
      },
    };
  }
  return {
    options: {
      type: "s3",
      provider: "Other",
      endpoint: store.endpoint,
      region: store.region,
      access_key_id: store.access_key_id,
      secret_access_key: store.secret_access_key,
    },
  };
}

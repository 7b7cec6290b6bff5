import { secretParam } from "@keybuzz/runner";
import * as z from "zod";

const remotePath = z.string().regex(/^[A-Za-z0-9/._-]+$/, "must be a path of letters, digits, /, ., _ and -");

/** A directory on a host of the group `backup`, or anything that speaks S3. */
const store = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("sftp"), path: remotePath.default("/srv/keybuzz-backup") }),
  z.strictObject({
    type: z.literal("s3"),
    endpoint: z.url(),
    region: z.string().default(""),
    bucket: remotePath,
    prefix: remotePath.default("mariadb"),
    access_key_id: z.string(),
    secret_access_key: secretParam(),
  }),
]);

/** A time of systemd's calendar: `*-*-* 02:30:00`. */
const calendar = z.string().regex(/^[A-Za-z0-9*:./ ,~-]+$/, "must be a systemd calendar expression");

/** What each node declares about its backups. All of it has a default. */
export const BackupHost = z.object({
  mariadb_runtime: z.enum(["docker", "native"]).default("docker"),
  mariadb_version: z.enum(["10.11", "11.8"]).default("11.8"),
  mariadb_image: z.string().optional(),
  /** Where backups go. */
  backup_store: store.default({ type: "sftp", path: "/srv/keybuzz-backup" }),
  /** When a full backup is taken. */
  backup_calendar: calendar.default("*-*-* 02:30:00"),
  /** How often binary logs are sent: what a restore to a point in time loses at most. */
  backup_binlog_calendar: calendar.default("*-*-* *:0/5:00"),
  backup_keep_days: z.int().min(1).max(3650).default(30),
  /** Whole backups that stay, however old. */
  backup_keep_least: z.int().min(1).max(1000).default(3),
  /** Whether rows and a checksum of each table are noted with each backup, for drills: reads all tables once. */
  backup_fingerprint: z.boolean().default(true),
  /** Folder for drills; needs room for the restored data. */
  backup_scratch: z.string().startsWith("/").default("/opt/keybuzz/drill"),
  /** Public keys (age1...) that can open a backup, besides the key of the credentials. */
  backup_recipients: z.array(z.string().regex(/^age1[a-z0-9]+$/, "must be an age recipient")).default([]),
});

export type BackupVars = z.output<typeof BackupHost>;

/** What a host of the group `backup` declares: where other hosts' backups are kept. */
export const StoreHost = z.object({});

import * as z from "zod";

/** Version of the shape of {@link RunRecord}. A file of another one is not read. */
export const RECORD_VERSION = 1;

/** A process, told apart from a later one that has the same number. */
const processSchema = z.object({
  pid: z.int(),
  host: z.string(),
  /** Clock ticks from the machine's boot to its start (proc_pid_stat(5), field 22); null where that cannot be read. */
  startTicks: z.string().nullable(),
});

/** What `--tags`, `--skip-tags` and `--start-at` chose of the tasks. */
export const taskSelectionSchema = z.object({
  only: z.array(z.string()).readonly().exactOptional(),
  skip: z.array(z.string()).readonly().exactOptional(),
  startAt: z.string().exactOptional(),
});

/** What is known of a run besides its events: `run.json` in its folder. */
export const runRecordSchema = z.object({
  version: z.literal(RECORD_VERSION),
  id: z.string(),
  command: z.enum(["play", "apply"]),
  playbook: z.object({ name: z.string(), file: z.string(), sources: z.record(z.string(), z.string()) }),
  /** The digest of each host's groups and vars, under `key`. */
  inventory: z.object({ file: z.string(), hosts: z.record(z.string(), z.string()) }),
  key: z.string(),
  mode: z.enum(["check", "apply"]),
  /** Absent where it was not asked for. */
  diff: z.boolean().default(false),
  /** Names of the hosts that `--limit` left; null without one. */
  limit: z.array(z.string()).nullable(),
  /** What of the tasks `--tags`, `--skip-tags` and `--start-at` chose; null for all of them. */
  select: taskSelectionSchema.nullable().default(null),
  forks: z.int().nullable(),
  /** Values of `-e NAME=VALUE`, without those of `secretParams`. */
  params: z.record(z.string(), z.string()),
  secretParams: z.array(z.string()),
  /** How hosts were reached, as the command line said: names of files and settings, no secret. */
  connection: z.record(z.string(), z.union([z.string(), z.boolean()])),
  kbVersion: z.string(),
  /** Of the checkout that the playbook lies in, as far as it is committed; null outside of one. */
  commit: z.string().nullable(),
  user: z.string(),
  process: processSchema,
  startedAt: z.iso.datetime(),
  /** The run that this one goes on with. */
  resumes: z.string().nullable(),
  /** The saved plan that it carries out. */
  plan: z.string().nullable(),
  endedAt: z.iso.datetime().nullable(),
  exitCode: z.int().nullable(),
});

export type RunRecord = z.output<typeof runRecordSchema>;

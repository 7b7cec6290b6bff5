import type * as z from "zod";
import type { TableRow } from "./events.ts";
import type { Hosts } from "./hosts.ts";
import type { VarsOf } from "./role.ts";

export type Schemas = Readonly<Record<string, z.ZodObject>>;

/** Sets of hosts by the names of their groups, with the vars of their schemas. */
export type Groups<G extends Schemas> = { readonly [K in keyof G]: Hosts<VarsOf<G[K]>> };

/** What a playbook has besides its hosts. */
export interface Play<P> {
  /** Values of `-e NAME=VALUE`. */
  readonly params: P;
  /** The machine that `kb` runs on, as a host. */
  readonly controller: Hosts<unknown>;
  /** Folder that the playbook's relative paths start from: the working directory of `kb`. */
  readonly directory: string;
  /**
   * Whether check mode has predicted changes that it did not make: what hosts show now is then not what they will show.
   * Never true in a run that makes them.
   */
  readonly pending: boolean;
  /** Names the phase that begins. */
  phase(name: string): void;
  /**
   * Carries out a part of the playbook as a phase, all of whose tasks get these tags. Where `--skip-tags` names one of
   * them, it is left out as a whole, questions and all.
   */
  phase(name: string, tags: readonly string[], part: () => Promise<unknown>): Promise<void>;
  /** Tells the operator something that is no task. */
  note(text: string, level?: "info" | "warn"): void;
  table(title: string, columns: readonly string[], rows: readonly TableRow[]): void;
}

/** What a playbook is made of. */
export interface PlaybookSpec<G extends Schemas, O extends Schemas, P extends z.ZodObject> {
  readonly name: string;
  /** One sentence, for lists. */
  readonly summary: string;
  /** Groups of the inventory that it needs, each with the vars that it needs of its hosts. */
  readonly groups: G;
  /** Groups that an inventory may lack: they are empty then. */
  readonly optionalGroups?: O;
  /** What `-e NAME=VALUE` may set; nothing unless given. */
  readonly params?: P;
  run(groups: Groups<G> & Groups<O>, play: Play<z.output<P>>): Promise<void>;
}

/** A playbook with its types closed over, as `kb play` takes it. */
export interface Playbook {
  readonly name: string;
  readonly summary: string;
  readonly groups: Schemas;
  readonly optionalGroups: Schemas;
  readonly params: z.ZodObject | undefined;
  run(groups: Readonly<Record<string, Hosts<never>>>, play: Play<never>): Promise<void>;
}

// biome-ignore lint/complexity/noBannedTypes: "no keys" is what is meant
type None = {};

/**
 * Makes a playbook: which role on which group, in which order. The default export of a file under `playbooks/`.
 *
 * ```ts
 * export default definePlaybook({
 *   name: "galera",
 *   summary: "Brings up the cluster and the proxies in front of it",
 *   groups: { mariadb: GaleraHost, proxysql: ProxysqlHost },
 *   async run({ mariadb, proxysql }) { await galera(mariadb, { ... }); await proxies(proxysql, { ... }); },
 * });
 * ```
 */
export function definePlaybook<G extends Schemas, O extends Schemas = None, P extends z.ZodObject = z.ZodObject<None>>(
  spec: PlaybookSpec<G, O, P>,
): Playbook {
  return {
    name: spec.name,
    summary: spec.summary,
    groups: spec.groups,
    optionalGroups: spec.optionalGroups ?? {},
    params: spec.params,
    // Erasure point: the run makes the groups from these very schemas, so they have these very types.
    run: (groups, play) => spec.run(groups as unknown as Groups<G> & Groups<O>, play as unknown as Play<z.output<P>>),
  };
}

/** An option of the server that is not as the running server read it; without a value: it is to be gone. */
export interface OptionChange {
  readonly name: string;
  readonly value: string | undefined;
}

/** What a running server says of a variable. */
export interface Variable {
  readonly value: string;
  readonly readOnly: boolean;
}

/** How changes get into a running server. */
export interface OptionPlan {
  /** To be set while it runs; a number as such, since SET takes no text for one. */
  readonly set: Readonly<Record<string, string | number>>;
  /** Options that only a restart brings in. Then it brings in all of them. */
  readonly restart: readonly string[];
}

/**
 * Variables that can be set while the server runs, and must not: the group would be left and looked for again, or members
 * would number the same transaction differently for as long as they differ.
 */
const NEVER_LIVE: ReadonlySet<string> = new Set([
  ...["wsrep_cluster_address", "wsrep_cluster_name", "wsrep_node_address", "wsrep_node_incoming_address"],
  ...["wsrep_on", "wsrep_provider", "wsrep_start_position", "wsrep_sst_receive_address"],
  ...["server_id", "gtid_domain_id", "wsrep_gtid_mode", "wsrep_gtid_domain_id", "binlog_format"],
]);

/** What differs between the options that a server read when it started, and those of its file now. */
export function changedOptions(applied: string, wanted: string): readonly OptionChange[] {
  const [before, after] = [serverOptions(applied), serverOptions(wanted)];
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((name) => before.get(name) !== after.get(name))
    .map((name) => ({ name, value: after.get(name) }));
}

/** The options of the groups that the server reads; a name stands for itself with `-` and with `_`, the last one counts. */
function serverOptions(text: string): ReadonlyMap<string, string> {
  const options = new Map<string, string>();
  let mine = false;
  for (const raw of text.split("\n")) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#") || line.startsWith(";")) continue;
    const group = /^\[(.+)\]$/.exec(line)?.[1];
    if (group !== undefined) mine = /^(mysqld|mariadbd|mariadb|server|galera)(-[\d.]+)?$/.test(group);
    else if (mine) {
      const [name = "", ...value] = line.split("=");
      options.set(name.trim().replaceAll("-", "_"), value.length === 0 ? "ON" : unquote(value.join("=").trim()));
    }
  }
  return options;
}

function unquote(value: string): string {
  return /^(["']).*\1$/.test(value) ? value.slice(1, -1) : value;
}

/**
 * Sorts changes into those that the running server takes, by its own word, and those that need a restart. One that needs a
 * restart brings the others in as well, so that nothing is set twice.
 * @see https://mariadb.com/kb/en/information-schema-system_variables-table/
 */
export function planOptions(changes: readonly OptionChange[], variables: ReadonlyMap<string, Variable>): OptionPlan {
  const needing = changes.filter((change) => !isLive(change, variables));
  if (needing.length > 0) return { set: {}, restart: needing.map(({ name }) => name) };
  const typed = (value: string): string | number => (/^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value);
  return { set: Object.fromEntries(changes.map(({ name, value = "" }) => [name, typed(value)])), restart: [] };
}

function isLive({ name, value }: OptionChange, variables: ReadonlyMap<string, Variable>): boolean {
  const variable = variables.get(name);
  if (variable === undefined || variable.readOnly || value === undefined || NEVER_LIVE.has(name)) return false;
  // It grows as far as was foreseen at the start, and is cut off there without an error.
  const most = variables.get("innodb_buffer_pool_size_max");
  return name !== "innodb_buffer_pool_size" || most === undefined || bytes(value) <= bytes(most.value);
}

function bytes(size: string): number {
  const [, number = "", unit = ""] = /^(\d+)([KMGT]?)$/i.exec(size) ?? [];
  return number === ""
    ? Number.NaN
    : Number(number) * 1024 ** (unit === "" ? 0 : "KMGT".indexOf(unit.toUpperCase()) + 1);
}

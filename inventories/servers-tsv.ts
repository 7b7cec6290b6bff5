import { InventoryError, type TsvMapping, type TsvRow } from "@keybuzz/runner";

/** Role and subrole of the server list, and the group that its hosts are in here. Other rows are no hosts of ours. */
const GROUPS: Readonly<Record<string, string>> = {
  "db mariadb": "mariadb",
  "db_proxy proxysql": "proxysql",
  "lb internal-haproxy": "loadbalancer",
};

/**
 * How the company's server list (`servers.tsv`: one host a line, all environments and roles) is read: its production
 * hosts, reached at their private addresses.
 */
export const mapping: TsvMapping = {
  columns: ["ENV", "HOSTNAME", "IP_PRIVEE", "USER_SSH", "ROLE", "SUBROLE"],
  name: "HOSTNAME",
  groups(row) {
    const group = row["ENV"] === "prod" ? GROUPS[`${row["ROLE"]} ${row["SUBROLE"]}`] : undefined;
    return group === undefined ? [] : [group];
  },
  vars: (row) => ({
    ansible_host: addressOf(row),
    // The list leaves the column empty, or has a dash, where it is root as everywhere.
    ansible_user: /^-?$/.test(row["USER_SSH"] ?? "") ? "root" : (row["USER_SSH"] ?? ""),
  }),
};

function addressOf(row: TsvRow): string {
  const address = row["IP_PRIVEE"] ?? "";
  if (address !== "" && address !== "-") return address;
  throw new InventoryError(`${row["HOSTNAME"]} has no IP_PRIVEE, and there is no other way to it`);
}

import { readFileSync } from "node:fs";

/** A row of the recording: names and values, in the order of the columns. */
export type RecordedRow = Readonly<Record<string, string | null>>;

/** One line of the recording. */
export interface Line {
  readonly number: number;
  readonly action?: string;
  readonly sql?: string;
  readonly user?: string;
  readonly password?: string;
  readonly port?: number;
  readonly ok?: { readonly affectedRows: number; readonly info: string };
  readonly rows?: readonly RecordedRow[];
  readonly columns?: readonly string[];
  readonly rowCount?: number;
  readonly error?: { readonly code: number; readonly state: string | null; readonly message: string };
  readonly connection?: string;
  readonly login?: string;
  readonly auth_plugin?: string;
  readonly server_version?: string;
  readonly select1?: Line;
  readonly first_bytes?: string;
  readonly exception?: string;
  readonly capabilities?: string;
  readonly db?: { readonly rows: readonly RecordedRow[] };
}

/** Reads the exchanges that were recorded from ProxySQL 2.7.1, in order. */
export function readRecording(): Line[] {
  const text = readFileSync(new URL("../data/proxysql-2.7-admin.ndjson", import.meta.url), "utf8");
  const lines = text.trimEnd().split("\n");
  return lines.map((line, index) => ({ ...(JSON.parse(line) as object), number: index + 1 }) as Line).slice(1);
}

/** Columns whose values no two runs share, by a word of the statement that shows them. */
const VOLATILE: readonly { readonly when: RegExp; readonly columns: readonly string[] }[] = [
  { when: /runtime_checksums_values/, columns: ["epoch"] },
  { when: /SELECT CACHING_SHA2_PASSWORD\('shapw'\)/, columns: ["CACHING_SHA2_PASSWORD('shapw')"] },
  { when: /stats_proxysql_servers_metrics/, columns: ["last_check_ms"] },
  { when: /stats_mysql_query_digest/, columns: ["first_seen", "last_seen", "sum_time", "min_time", "max_time"] },
  { when: /stats_memory_metrics/, columns: ["Variable_Value"] },
  // Which of three equal servers a client's statement went to is a matter of chance, and with it these counters.
  {
    when: /stats_mysql_connection_pool/,
    columns: ["ConnFree", "ConnOK", "MaxConnUsed", "Queries", "Bytes_data_sent", "Bytes_data_recv"],
  },
];

/**
 * Checksums that the recording does not explain: mysql_servers_v2 always, mysql_servers where it is asked for alone.
 * They are compared only for "nothing to hash"; all other checksums, and the digests, as they are.
 */
function isUnexplained(sql: string, row: RecordedRow, name: string, value: string | null): boolean {
  if (name !== "checksum" || value === null || /^(0x0+)?$/.test(value)) return false;
  return row["name"] === "mysql_servers_v2" || /name='mysql_servers'/.test(sql);
}

/** Replaces volatile values by a mark that only says whether there was one. */
export function withoutVolatile(sql: string, rows: readonly RecordedRow[]): RecordedRow[] {
  const columns = VOLATILE.filter(({ when }) => when.test(sql)).flatMap((rule) => rule.columns);
  return rows.map((row) => {
    const isUptime = row["Variable_Name"] === "ProxySQL_Uptime";
    const cells = Object.entries(row).map(([name, value]) => {
      const isVolatile =
        columns.includes(name) || isUnexplained(sql, row, name, value) || (isUptime && name === "Variable_Value");
      return [name, isVolatile && value !== null ? "<volatile>" : value];
    });
    return Object.fromEntries(cells) as RecordedRow;
  });
}

import { defineModule, exec, known, type Sh, secretParam, sh, sql } from "@keybuzz/runner";
import * as z from "zod";
import { MARIADB_CONTAINER } from "../paths.ts";

/** Where a statement is sent, and which client of the proving host sends it. */
const through = z.strictObject({
  address: z.ipv4().describe("The node, proxy or entry point"),
  client: z
    .enum(["host", "container"])
    .default("host")
    .describe("The host's own client, or the one in the node's container"),
});

const row = z.strictObject({ node: z.string(), token: z.string() });

const params = z.strictObject({
  what: z.string().describe("What is proved, for its label"),
  through: through.describe("The way that is proved"),
  user: z.string().default("keybuzz_verify").describe("Account that may write to keybuzz_verify.proof"),
  password: secretParam().describe("Its password"),
  write: row.optional().describe("A row to write"),
  read: z
    .array(row)
    .default([])
    .describe("Rows that have to be there then, once what other nodes wrote before is applied here"),
});

type Given = z.output<typeof params>;

/**
 * Writes and reads rows of `keybuzz_verify.proof`, by which `verify` proves that a way to the database works. It declares
 * nothing, so it is a gate: never "changed", and in check mode not carried out.
 */
export const rowProof = defineModule({
  name: "row_proof",
  summary: "Proves a way to the database by rows written and read",
  params,
  id: ({ what }) => what,
  gate: true,
  probe: () => known<{ proved: boolean }>({ proved: false }),
  desired: () => ({ proved: true }),
  plan: ({ params: given }) => [exec(proofScript(given), { stdin: given.password, timeoutMs: 30_000 })],
});

function proofScript({ through: { address, client }, user, write, read }: Given): Sh {
  const statements = [
    "SET SESSION wsrep_sync_wait = 1",
    ...(write === undefined
      ? []
      : [sql`REPLACE INTO keybuzz_verify.proof VALUES (${write.node}, ${write.token}, NOW(6))`.toString()]),
    ...read.map(({ node, token }) =>
      sql`SELECT CONCAT('row of ', ${node}, ' is ', IF(COUNT(*) = 1, 'there', 'missing')) FROM keybuzz_verify.proof WHERE node = ${node} AND token = ${token}`.toString(),
    ),
  ].join(";\n");
  const login = [`--user=${user}`, `--host=${address}`, "--port=3306", "--protocol=tcp"];
  const inside = sh`IFS= read -r p
mariadb --defaults-file=/dev/fd/4 ${login} --skip-ssl-verify-server-cert --connect-timeout=8 --batch --skip-column-names 4<<EOF
[client]
password="$p"
EOF`;
  const run =
    client === "container" ? sh`docker exec -i ${MARIADB_CONTAINER} sh -c ${inside.text}` : sh`sh -c ${inside.text}`;
  return sh`IFS= read -r kb_p || [ -n "$kb_p" ] || exit 1
kb_said=$({ printf '%s\n' "$kb_p"; printf '%s\n' ${statements}; } | { ${run}; } 2>&1) || { printf '%s\n' "$kb_said" >&2; exit 1; }
printf '%s\n' "$kb_said"
! printf '%s\n' "$kb_said" | grep -q ' is missing$'`;
}

import { defineModule } from "@keybuzz/runner";
import * as z from "zod";
import { proxysqlLogin } from "../probes/sql-login.ts";
import { adminPort, familyPlan, familyProbe, unmanagedParam } from "./family.ts";
import { type Content, desiredLayers, type Family, type Layers, showRuntime } from "./layers.ts";
import { QUERY_RULES, queryRuleRow, toRow } from "./tables.ts";

const params = z.strictObject({
  login: proxysqlLogin,
  rules: z.array(queryRuleRow).describe("query rules; fast routing is left as found"),
  unmanaged: unmanagedParam,
});

const FAMILY: Family = {
  words: "MYSQL QUERY RULES",
  tables: [QUERY_RULES],
  expectedRuntime: project,
  foundRuntime: project,
};

/**
 * Query rules, in memory, at run time and on disk. ProxySQL takes any text for a regular expression; a broken one never
 * matches.
 * @see https://proxysql.com/documentation/main-runtime/#mysql_query_rules
 */
export const proxysqlQueryRules = defineModule({
  name: "proxysql_query_rules",
  summary: "ProxySQL's query rules, in memory, at run time and on disk",
  params,
  id: ({ login }) => adminPort(login),
  probe: ({ login }) => familyProbe(login, FAMILY),
  desired: ({ rules, unmanaged }, current): Layers =>
    desiredLayers(FAMILY, new Map([[QUERY_RULES, rules.map(toRow)]]), current, unmanaged),
  plan: ({ params: { login }, current, wanted }) => familyPlan(login, FAMILY, current, wanted),
});

/** Rules that are not active are not loaded. */
function project(content: Content): Layers["runtime"] {
  const active = (content.get(QUERY_RULES) ?? []).filter((row) => row["active"] === "1");
  return { [QUERY_RULES.name]: showRuntime(QUERY_RULES, active) };
}

import { mariadbRows, renderTemplate } from "@keybuzz/modules";
import { type Hosts, ProbeError, revealText, sql, sqlJoin, Unmet } from "@keybuzz/runner";
import { loginTo } from "../accounts.ts";
import type { HostFacts } from "../facts.ts";
import { addressOf, type MemberHost } from "../member.ts";
import type { GaleraParams, GaleraVars } from "../params.ts";
import { type Cluster, OPTIONS_TEMPLATE, settingsFor } from "../settings.ts";
import { changedOptions, type OptionChange, type OptionPlan, planOptions, type Variable } from "./options.ts";

/** How the changed options of members that run get into their servers; members without changes are missing. */
export async function planRunning(
  live: Hosts<GaleraVars>,
  facts: ReadonlyMap<string, HostFacts>,
  cluster: Cluster,
  params: GaleraParams,
): Promise<ReadonlyMap<string, OptionPlan>> {
  const changes = new Map(
    live.live.flatMap((host): [string, readonly OptionChange[]][] => {
      const known = facts.get(host.name);
      if (known?.applied === undefined) return [];
      const found = changedOptions(known.applied, optionsFor(host, known, cluster));
      return found.length === 0 ? [] : [[host.name, found]];
    }),
  );
  if (changes.size === 0) return new Map();
  const answers = await live.only(...changes.keys()).probe(({ name, vars }) =>
    variables(
      vars,
      params,
      (changes.get(name) ?? []).map((change) => change.name),
    ),
  );
  return new Map(
    answers.map(({ host, value }) => {
      if (value instanceof Unmet)
        throw new ProbeError(`its variables cannot be read: ${value.reason}`, { host: host.name });
      const known = new Map(
        value.map(([name = "", text = "", readOnly = ""]): [string, Variable] => [
          name,
          { value: text, readOnly: readOnly === "YES" },
        ]),
      );
      return [host.name, planOptions(changes.get(host.name) ?? [], known)];
    }),
  );
}

/** Members that need a restart for their options, or were asked for one that has not been made. */
export function askedFor(
  facts: ReadonlyMap<string, HostFacts>,
  plans: ReadonlyMap<string, OptionPlan>,
): readonly string[] {
  return [...facts].flatMap(([name, { restart }]) =>
    restart !== undefined || (plans.get(name)?.restart.length ?? 0) > 0 ? [name] : [],
  );
}

/** The option file, as the role writes it. */
function optionsFor(host: MemberHost, facts: HostFacts, cluster: Cluster): string {
  const settings = settingsFor({ name: host.name, address: addressOf(host) }, host.vars, facts, cluster);
  return revealText(renderTemplate(OPTIONS_TEMPLATE.pathname, settings));
}

function variables(
  vars: GaleraVars,
  { credentials }: GaleraParams,
  names: readonly string[],
): ReturnType<typeof mariadbRows> {
  const asked = sqlJoin([...names, "innodb_buffer_pool_size_max"].map((name) => sql`${name.toUpperCase()}`));
  return mariadbRows(
    loginTo(vars, credentials.rootPassword),
    sql`SELECT LOWER(VARIABLE_NAME), IFNULL(GLOBAL_VALUE, ''), READ_ONLY FROM information_schema.SYSTEM_VARIABLES
WHERE VARIABLE_NAME IN (${asked}) ORDER BY VARIABLE_NAME`,
  );
}

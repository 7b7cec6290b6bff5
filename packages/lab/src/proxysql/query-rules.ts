import type { Row } from "./databases.ts";

/** What is known about a statement when rules are matched. */
export interface QueryFacts {
  readonly username: string;
  readonly schema: string;
  readonly clientAddress: string;
  readonly proxyAddress: string;
  readonly proxyPort: number;
  readonly text: string;
  readonly digestText: string;
  readonly digest: string;
}

/** What the matching rules say about a statement; an absent field leaves the account's default in force. */
export interface Routing {
  hostgroup?: number;
  text?: string;
  error?: string;
  ok?: string;
  timeoutMs?: number;
  retries?: number;
  delayMs?: number;
  multiplex?: number;
}

interface Rule {
  readonly id: number;
  readonly row: Row;
  readonly digestPattern: RegExp | null;
  readonly pattern: RegExp | null;
  /** False if a regular expression is broken: the rule then never matches, as in the real server. */
  readonly usable: boolean;
  hits: number;
}

/** Compiles a pattern; a broken one gives null. */
function compile(pattern: unknown, modifiers: string): RegExp | null {
  if (pattern === null || pattern === undefined) return null;
  try {
    return new RegExp(
      String(pattern),
      `s${/CASELESS/i.test(modifiers) ? "i" : ""}${/GLOBAL/i.test(modifiers) ? "g" : ""}`,
    );
  } catch {
    return null;
  }
}

function ruleOf(row: Row): Rule {
  const modifiers = String(row["re_modifiers"] ?? "");
  const digestPattern = compile(row["match_digest"], modifiers);
  const pattern = compile(row["match_pattern"], modifiers);
  const usable =
    (row["match_digest"] === null || digestPattern !== null) && (row["match_pattern"] === null || pattern !== null);
  return { id: Number(row["rule_id"]), row, digestPattern, pattern, usable, hits: 0 };
}

function wanted(rule: Rule, column: string, actual: string | number): boolean {
  const value = rule.row[column];
  return value === null || value === undefined || String(value) === String(actual);
}

function addressMatches(rule: Rule, actual: string): boolean {
  const value = rule.row["client_addr"];
  if (value === null || value === undefined) return true;
  const text = String(value);
  return text.endsWith("%") ? actual.startsWith(text.slice(0, -1)) : text === actual;
}

function matches(rule: Rule, facts: QueryFacts, text: string, flag: number): boolean {
  if (!rule.usable || Number(rule.row["flagIN"]) !== flag) return false;
  const plain =
    wanted(rule, "username", facts.username) &&
    wanted(rule, "schemaname", facts.schema) &&
    wanted(rule, "proxy_addr", facts.proxyAddress) &&
    wanted(rule, "proxy_port", facts.proxyPort) &&
    wanted(rule, "digest", facts.digest) &&
    addressMatches(rule, facts.clientAddress);
  if (!plain) return false;
  const negated = Number(rule.row["negate_match_pattern"]) === 1;
  const found = (pattern: RegExp | null, subject: string): boolean =>
    pattern === null || (subject.search(pattern) !== -1) !== negated;
  return found(rule.digestPattern, facts.digestText) && found(rule.pattern, text);
}

/** ProxySQL writes back-references as `\1`, JavaScript as `$1`. */
function replacementOf(pattern: string): string {
  return pattern
    .replaceAll("$", "$$$$")
    .replace(/\\(\d)/g, (_match, digit: string) => (digit === "0" ? "$&" : `$${digit}`));
}

function apply(rule: Rule, routing: Routing, text: string): void {
  const number = (column: string): number | undefined =>
    rule.row[column] === null || rule.row[column] === undefined ? undefined : Number(rule.row[column]);
  const set = <K extends keyof Routing>(key: K, value: Routing[K] | undefined): void => {
    if (value !== undefined) routing[key] = value;
  };
  set("hostgroup", number("destination_hostgroup"));
  set("timeoutMs", number("timeout"));
  set("retries", number("retries"));
  set("delayMs", number("delay"));
  set("multiplex", number("multiplex"));
  if (rule.row["error_msg"] !== null) routing.error = String(rule.row["error_msg"]);
  if (rule.row["OK_msg"] !== null) routing.ok = String(rule.row["OK_msg"]);
  if (rule.row["replace_pattern"] !== null && rule.pattern !== null) {
    routing.text = text.replace(rule.pattern, replacementOf(String(rule.row["replace_pattern"])));
  }
}

/** The active query rules at run time, with their hits. */
export class QueryRules {
  #rules: Rule[] = [];

  /** Takes over the active rows of mysql_query_rules; hits start at zero. */
  load(rows: readonly Row[]): void {
    this.#rules = rows.map(ruleOf).sort((left, right) => left.id - right.id);
  }

  /** The rows that were loaded, ordered by rule_id. */
  rows(): Row[] {
    return this.#rules.map((rule) => rule.row);
  }

  /** Hits by rule_id. */
  hits(): [number, number][] {
    return this.#rules.map((rule) => [rule.id, rule.hits]);
  }

  /**
   * Runs a statement through the rules: in order of rule_id, following flagOUT, until one says `apply`.
   *
   * @see https://proxysql.com/documentation/query-rules/
   */
  route(facts: QueryFacts): Routing {
    const routing: Routing = {};
    let flag = 0;
    for (const rule of this.#rules) {
      if (!matches(rule, facts, routing.text ?? facts.text, flag)) continue;
      rule.hits += 1;
      apply(rule, routing, routing.text ?? facts.text);
      const next = rule.row["flagOUT"];
      if (next !== null && next !== undefined) flag = Number(next);
      if (Number(rule.row["apply"]) === 1) break;
    }
    return routing;
  }
}

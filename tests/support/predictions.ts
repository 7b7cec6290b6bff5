import type { TaskResult } from "@keybuzz/runner";
import type { Ran } from "./kb.ts";

/** What is drawn anew by every run that finds no store of credentials, and what is made of it. */
const DRAWN = /age\.key|mariadb\.env|root-password-hash|proxysql\.cnf|login\.cnf/;

/**
 * Where a run left another value behind than check mode told. Check lists all fields of what does not exist yet; the run
 * only those that the steps before it (a package's own configuration) did not set already: so values are compared.
 */
export function wrongPredictions(check: Ran, made: Ran): readonly string[] {
  const told = new Map(changedOf(check).map((result) => [keyOf(result), endValues(result)]));
  return changedOf(made).flatMap((result) => {
    const predicted = told.get(keyOf(result)) ?? new Map<string, string>();
    return [...endValues(result)]
      .filter(([path, value]) => predicted.get(path) !== value && !(path === "sha256" && DRAWN.test(result.task)))
      .map(([path, value]) => `${keyOf(result)}: ${path} became ${value}, told: ${predicted.get(path)}`);
  });
}

function changedOf(ran: Ran): readonly TaskResult[] {
  return ran.results.filter(({ outcome }) => outcome === "changed");
}

function keyOf({ host, task }: TaskResult): string {
  return `${host}: ${task}`;
}

/** The single values that a change ends with, by their paths. */
function endValues({ changes }: TaskResult): ReadonlyMap<string, string> {
  return new Map(changes.flatMap(({ path, after }) => leaves(path, after)));
}

function leaves(path: string, value: unknown): readonly (readonly [string, string])[] {
  if (typeof value !== "object" || value === null) return [[path, JSON.stringify(value)]];
  return Object.entries(value).flatMap(([key, inner]) => leaves(`${path}.${key}`, inner));
}

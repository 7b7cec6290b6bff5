import type { TaskResult } from "@keybuzz/runner";
import type { Ran } from "./kb.ts";

/**
 * Where a run left another value behind than check mode told. Check lists all fields of what does not exist yet; the run
 * only those that the steps before it (a package's own configuration) did not set already: so values are compared.
 */
export function wrongPredictions(check: Ran, made: Ran): readonly string[] {
  const told = new Map(changedOf(check).map((result) => [keyOf(result), endValues(result)]));
  return changedOf(made).flatMap((result) => {
    const predicted = told.get(keyOf(result)) ?? new Map<string, string>();
    return [...endValues(result)]
      .filter(([path, value]) => !agrees(result.task, path, predicted.get(path), value))
      .map(([path, value]) => `${keyOf(result)}: ${path} became ${value}, told: ${predicted.get(path)}`);
  });
}

function agrees(task: string, path: string, told: string | undefined, became: string): boolean {
  if (told === undefined || told === became) return told === became;
  // Sealing is never the same twice.
  if (task.endsWith("/mariadb.env.age")) return path === "sha256";
  // Several settings share one file: each tells of its own line.
  if (task.startsWith("sysctl ")) return path === "file.text" && became.endsWith(told.slice(1));
  // An image has its number once it was pulled.
  if (task.startsWith("docker_container ")) return told === became.replace(/\(\w+\)"$/, '(to be pulled)"');
  return false;
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

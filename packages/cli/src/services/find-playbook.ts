import { readdirSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { KbError, nearest, type Playbook, PlaybookError } from "@keybuzz/runner";
import { shownPath } from "./shown-path.ts";

const FOLDER = "playbooks";

/**
 * The file that a playbook's name stands for: a path, or a name under `./playbooks`, each with or without `.ts`.
 * @throws PlaybookError with the nearest name
 */
export function findPlaybook(name: string, directory: string): string {
  const places = name.includes("/") ? [name] : [`${FOLDER}/${name}`, name];
  const files = places.flatMap((place) => (place.endsWith(".ts") ? [place] : [`${place}.ts`, place]));
  const found = files.map((file) => resolve(directory, file)).find(isFile);
  if (found !== undefined) return found;
  const known = listPlaybooks(directory);
  const near = nearest(name.replace(/^.*\//, "").replace(/\.ts$/, ""), known);
  throw new PlaybookError(`there is no playbook ${name}`, {
    detail: `looked for ${files.join(", ")} in ${directory}`,
    hint: near !== undefined ? `did you mean ${near}?` : describeKnown(known),
  });
}

function describeKnown(known: readonly string[]): string {
  return known.length === 0
    ? "start kb in the folder that has playbooks/, or give a path"
    : `known: ${known.join(", ")}`;
}

/** Names of the playbooks in `./playbooks`. */
export function listPlaybooks(directory: string): readonly string[] {
  try {
    return readdirSync(resolve(directory, FOLDER))
      .filter((file) => file.endsWith(".ts") && !/\.(test|d)\.ts$/.test(file))
      .map((file) => file.slice(0, -".ts".length))
      .toSorted();
  } catch {
    return [];
  }
}

/**
 * Loads a playbook's file.
 * @throws PlaybookError where it does not load, or exports no playbook
 */
export async function loadPlaybook(file: string): Promise<Playbook> {
  const shown = shownPath(file);
  const loaded = await importFile(file, shown);
  const { default: exported } = loaded;
  if (isPlaybook(exported)) return exported;
  throw new PlaybookError(`${shown} exports no playbook`, {
    hint: 'write: export default definePlaybook({ name: "...", ... })',
  });
}

/** Imports a TypeScript or JavaScript file of the user's. @throws PlaybookError with the place of the fault */
export async function importFile(file: string, shown: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return (await import(pathToFileURL(file).href)) as Record<string, unknown>;
  } catch (cause) {
    if (cause instanceof KbError) throw cause;
    throw new PlaybookError(`cannot load ${shown}`, { detail: describeFault(cause, file), cause });
  }
}

/** Message and, where it has one, the place: of a fault in code that is the user's own. */
function describeFault(cause: unknown, file: string): string {
  if (!(cause instanceof Error)) return String(cause);
  const lines = (cause.stack ?? "").split("\n").map((line) => line.trim());
  const own = lines.find((line) => line.includes(`${file}:`));
  const place = own ?? lines.find((line) => line.startsWith("at ") && !/node_modules|node:/.test(line));
  return [`${cause.name}: ${cause.message}`, place].filter((line) => line !== undefined).join("\n");
}

function isPlaybook(value: unknown): value is Playbook {
  return (
    typeof value === "object" && value !== null && "run" in value && "groups" in value && "optionalGroups" in value
  );
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

import { dirname, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** A place in a file. */
export interface Place {
  /** Absolute. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
}

/** Whose frames say nothing about where in a playbook something is: what kb itself is made of. */
const OWN = ["@keybuzz/runner", "@keybuzz/modules"].map(
  (name) => dirname(fileURLToPath(import.meta.resolve(name))) + sep,
);

/** Where in the user's own code an error was made: the innermost frame that is neither Node's, nor a package's, nor ours. */
export function placeOf(error: unknown): Place | undefined {
  for (let known = error; known instanceof Error; known = known.cause) {
    const place = (known.stack ?? "").split("\n").map(parseFrame).find(isUsers);
    if (place !== undefined) return place;
  }
  return undefined;
}

function parseFrame(frame: string): Place | undefined {
  const [, path, line, column] = /^\s+at .*?((?:file:\/\/)?\/[^()]*):(\d+):(\d+)\)?$/.exec(frame) ?? [];
  if (path === undefined) return undefined;
  const file = path.startsWith("file:") ? fileURLToPath(path) : path;
  return { file, line: Number(line), column: Number(column) };
}

function isUsers(place: Place | undefined): boolean {
  return (
    place !== undefined &&
    !place.file.includes("/node_modules/") &&
    !OWN.some((folder) => place.file.startsWith(folder))
  );
}

/** `file:line:column:` at the start of a message of the inventory's, taken from it. */
export function placeInMessage(message: string): { readonly place: Place; readonly message: string } | undefined {
  const [, file, line, column, rest] = /^(\/?[^\s:]+):(\d+):(\d+): ([\s\S]*)$/.exec(message) ?? [];
  if (file === undefined || rest === undefined) return undefined;
  return { place: { file: resolve(file), line: Number(line), column: Number(column) }, message: rest };
}

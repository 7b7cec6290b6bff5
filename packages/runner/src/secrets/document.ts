import { parseEnv } from "node:util";
import { suggest } from "../inventory/inventory.ts";
import { YamlFile } from "../inventory/yaml-file.ts";
import { Secret } from "../secret.ts";
import { SecretsError } from "./reference.ts";

/** What a provider found: one text, or values by name. */
export type SecretDocument =
  | { readonly kind: "text"; readonly text: Secret }
  | { readonly kind: "fields"; readonly fields: ReadonlyMap<string, Secret> };

/**
 * The value that a reference means: the whole text, or the one of its name in it. A text with names in it is lines of
 * `NAME=value`, or YAML or JSON, where dots lead further down (`db.root`).
 * @param place what is read, for errors
 * @throws SecretsError for a name that is not there, with the nearest, or one that is missing
 */
export function pick(document: SecretDocument, key: string | undefined, place: string): Secret {
  if (document.kind === "text" && key === undefined) return new Secret(document.text.reveal().replace(/\r?\n$/, ""));
  const fields = document.kind === "text" ? fieldsOf(document.text, place) : document.fields;
  const [only, ...others] = fields.values();
  if (key === undefined && only !== undefined && others.length === 0) return only;
  if (key === undefined) {
    throw new SecretsError(`${place} has several values, and it is not said which`, {
      hint: `add #NAME; ${suggest("", fields.keys())}`,
    });
  }
  const value = fields.get(key);
  if (value !== undefined) return value;
  throw new SecretsError(`${place} has no value "${key}"`, { hint: suggest(key, fields.keys()) });
}

/** The values of a text by their names. @throws SecretsError for a text without names; it says nothing of the text */
export function fieldsOf(text: Secret, place: string): ReadonlyMap<string, Secret> {
  const clear = text.reveal();
  const lines = clear.split(/\r?\n/).filter((line) => line.trim() !== "" && !line.trimStart().startsWith("#"));
  if (lines.length > 0 && lines.every((line) => /^\s*(?:export\s+)?[A-Za-z_][\w.]*\s*=/.test(line))) {
    return new Map(Object.entries(parseEnv(clear)).map(([name, value]) => [name, new Secret(value ?? "")]));
  }
  try {
    const document = new YamlFile(place, clear, () => {});
    const fields = document.vars(document.root).flatMap(([name, { value }]) => flatten(name, value));
    return new Map(fields);
  } catch {
    // What is wrong, and where, would tell of the text.
    throw new SecretsError(`${place} has no names in it`, {
      hint: "NAME=value lines, YAML or JSON have; or leave #NAME out",
    });
  }
}

function flatten(name: string, value: unknown): readonly (readonly [string, Secret])[] {
  if (value instanceof Secret) return [[name, value]];
  if (typeof value !== "object" || value === null) return value === null ? [] : [[name, new Secret(String(value))]];
  return Object.entries(value).flatMap(([key, part]) => flatten(`${name}.${key}`, part));
}

import { Secret } from "@keybuzz/runner";
import type * as z from "zod";

/** A place in a module's params where a text may stand, found in the schema. */
export interface Site {
  readonly path: readonly (string | number)[];
  /** The text is a secret, or may be one. */
  readonly secret: boolean;
  /** The text is the name of a record's field. */
  readonly isKey: boolean;
  /** What has to be at the containers above it, for params that do not have them. */
  readonly containers: ReadonlyMap<string, () => unknown>;
}

type Schema = z.core.$ZodType;

/** Field of a record where params of their own have none. */
const KEY = "kb_key";

/** Every place for a text in a schema, whatever it is wrapped in. */
export function sitesOf(schema: Schema): readonly Site[] {
  const found = walk(schema, { path: [], secret: false, isKey: false, containers: new Map() });
  const byPath = Map.groupBy(found, (site) => `${labelOf(site)} ${site.isKey}`);
  return [...byPath.values()].map(([first, ...others]) => {
    const [site] = [first, ...others]
      .filter((one) => one !== undefined)
      .toSorted((a, b) => Number(b.secret) - Number(a.secret));
    if (site === undefined) throw new Error("a group has a member");
    return site;
  });
}

export function labelOf({ path, isKey }: Site): string {
  return `${path.join(".")}${isKey ? " (name)" : ""}`;
}

function walk(schema: Schema, at: Site): readonly Site[] {
  if (classOf(schema) === Secret) return [{ ...at, secret: true }];
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case "string":
      return [at];
    case "object":
      return Object.entries(def.shape).flatMap(([name, field]) =>
        walk(
          field,
          below(at, name, () => minimal(schema)),
        ),
      );
    case "array":
      return walk(
        def.element,
        below(at, 0, () => []),
      );
    case "record": {
      const inside = below(at, KEY, () => ({}));
      return [
        ...walk(def.keyType, { ...inside, isKey: true }).map((site) => ({ ...site, isKey: true })),
        ...walk(def.valueType, inside),
      ];
    }
    case "union":
      return def.options.flatMap((option) =>
        walk(option, { ...at, containers: new Map(at.containers).set(pathKey(at.path), () => minimal(option)) }),
      );
    case "optional":
    case "nullable":
    case "default":
    case "prefault":
    case "readonly":
      return walk(def.innerType, at);
    case "pipe":
      return walk(def.in, at);
    case "lazy":
    case "unknown":
      // Any value: a text, too.
      return [at];
    default:
      return [];
  }
}

function below(at: Site, step: string | number, container: () => unknown): Site {
  const key = pathKey(at.path);
  const containers = at.containers.has(key) ? at.containers : new Map(at.containers).set(key, container);
  return { ...at, path: [...at.path, step], containers };
}

function pathKey(path: readonly (string | number)[]): string {
  return path.join("\0");
}

function classOf(schema: Schema): unknown {
  return schema._zod.bag["Class"];
}

/** The least that a schema takes, without the checks that only its author knows. */
function minimal(schema: Schema): unknown {
  if (classOf(schema) === Secret) return new Secret("x1");
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case "object":
      return Object.fromEntries(
        Object.entries(def.shape)
          .map(([name, field]) => [name, minimal(field)] as const)
          .filter(([, value]) => value !== undefined),
      );
    case "string":
      return "x1";
    case "number":
      return 1;
    case "boolean":
      return true;
    case "literal":
      return def.values[0];
    case "enum":
      return Object.values(def.entries)[0];
    case "array":
      return [minimal(def.element)];
    case "record":
      return {};
    case "union":
      return minimal(def.options[0] ?? schema);
    case "pipe":
      return minimal(def.in);
    case "nullable":
    case "readonly":
      return minimal(def.innerType);
    default:
      return undefined;
  }
}

/** The value at a site of params, if they have one. */
export function valueAt(params: unknown, { path, isKey }: Site): unknown {
  if (isKey) return undefined;
  return path.reduce<unknown>((value, step) => {
    if (typeof value !== "object" || value === null || value instanceof Secret) return undefined;
    const name = step === KEY ? Object.keys(value)[0] : step;
    return name === undefined ? undefined : Reflect.get(value, name);
  }, params);
}

/** The same params with another value at a site. */
export function withValue(params: unknown, site: Site, value: unknown): unknown {
  return put(params, site, [], value);
}

function put(current: unknown, site: Site, done: readonly (string | number)[], value: unknown): unknown {
  const step = site.path[done.length];
  if (step === undefined) return value;
  const isContainer = typeof current === "object" && current !== null && !(current instanceof Secret);
  const container = isContainer ? current : site.containers.get(pathKey(done))?.();
  const next = [...done, step];
  if (Array.isArray(container)) return [put(container[0], site, next, value), ...container.slice(1)];
  const fields = (container ?? {}) as Readonly<Record<string, unknown>>;
  const last = next.length === site.path.length;
  if (last && site.isKey) return { ...fields, [String(value)]: Object.values(fields)[0] ?? "x1" };
  const name = step === KEY ? (Object.keys(fields)[0] ?? KEY) : String(step);
  return { ...fields, [name]: put(fields[name], site, next, value) };
}

import { Secret } from "./secret.ts";

/** What a state may hold: plain data and secrets, so that the engine alone can compare, print and predict it. */
export type Value = null | boolean | number | string | Secret | readonly Value[] | { readonly [key: string]: Value };

/** The state of one thing on a host, as a flat or nested record. `null` in its place means "does not exist". */
export type State = { readonly [key: string]: Value };

/** One difference between two states. `undefined` means that the side has no such field. */
export interface Change {
  /** Field names from the top, joined by dots; empty for the whole state. */
  readonly path: string;
  readonly before: Value | undefined;
  readonly after: Value | undefined;
}

/** Whether two values are equal: secrets by what they hide, lists in order, records whatever the order of fields. */
export function equalValues(a: Value | undefined, b: Value | undefined): boolean {
  if (a instanceof Secret || b instanceof Secret) return a instanceof Secret && b instanceof Secret && a.equals(b);
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, index) => equalValues(item, b[index]));
  }
  if (isRecord(a) && isRecord(b)) {
    const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
    return [...keys].every((key) => equalValues(a[key], b[key]));
  }
  return a === b;
}

/** The differences from one state to the next, deepest fields first named, in the order of the fields. */
export function diffStates(before: State | null, after: State | null): readonly Change[] {
  if (before === null && after === null) return [];
  if (before === null || after === null) {
    const present = after ?? before ?? {};
    return Object.keys(present).map((path) => ({ path, before: before?.[path], after: after?.[path] }));
  }
  return diffRecords(before, after, "");
}

function diffRecords(before: State, after: State, prefix: string): readonly Change[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return keys.flatMap((key): readonly Change[] => {
    const path = prefix === "" ? key : `${prefix}.${key}`;
    const a = before[key];
    const b = after[key];
    if (equalValues(a, b)) return [];
    if (isRecord(a) && isRecord(b)) return diffRecords(a, b, path);
    return [{ path, before: a, after: b }];
  });
}

function isRecord(value: Value | undefined): value is State {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Secret);
}

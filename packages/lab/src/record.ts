import { existsSync, readFileSync } from "node:fs";
import type { Subnet } from "./addresses.ts";
import { LabError } from "./errors.ts";
import { labPaths } from "./lab-dir.ts";
import type { LabHost, LabSpec } from "./spec.ts";

/** A program of which a lab has either the real one or a stand-in of its own. */
export interface LabProgram {
  readonly name: string;
  readonly kind: "real" | "stand-in";
  readonly version: string;
}

/** What a lab was brought up as. */
export interface LabRecord {
  readonly spec: LabSpec;
  readonly subnet: Subnet;
  /** What its images and packages were made of at the last `up`. */
  readonly programs: readonly LabProgram[];
}

/** The record of a lab, or undefined when there is no such lab. */
export function readRecord(name: string): LabRecord | undefined {
  const { record } = labPaths(name);
  if (!existsSync(record)) return undefined;
  try {
    return JSON.parse(readFileSync(record, "utf8")) as LabRecord;
  } catch {
    return undefined; // Cut short by a crash: `up` writes it again.
  }
}

/** The record of a lab that must be there. @throws {LabError} when it is not. */
export function requireRecord(name: string): LabRecord {
  const record = readRecord(name);
  if (record === undefined) throw new LabError(`there is no lab "${name}": bring it up first`, { exitCode: 2 });
  return record;
}

/** A host of a lab, by its name. @throws {LabError} when there is none. */
export function requireHost(lab: string, name: string): { readonly record: LabRecord; readonly host: LabHost } {
  const record = requireRecord(lab);
  const host = record.spec.hosts.find((one) => one.name === name);
  if (host !== undefined) return { record, host };
  const known = record.spec.hosts.map((one) => one.name).join(", ");
  throw new LabError(`lab ${lab} has no host "${name}"; it has ${known}`, { exitCode: 2 });
}

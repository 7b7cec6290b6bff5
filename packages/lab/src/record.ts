import { existsSync, readFileSync } from "node:fs";
import type { Subnet } from "./addresses.ts";
import { LabError } from "./errors.ts";
import { labPaths } from "./lab-dir.ts";
import type { LabSpec } from "./spec.ts";

/** What a lab was brought up as. */
export interface LabRecord {
  readonly spec: LabSpec;
  readonly subnet: Subnet;
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

import { globSync } from "node:fs";
import { join, resolve } from "node:path";
import * as modules from "@keybuzz/modules";
import type { Module, State } from "@keybuzz/runner";
import { readCase } from "@keybuzz/runner/testing";

const SOURCES = resolve(import.meta.dirname, "../../packages/modules/src");

/** A recorded case, as far as tests of all modules read it. */
export interface Case {
  readonly params: Readonly<Record<string, unknown>>;
  /** What the host was, or is read as; missing where it could not be told. */
  readonly state?: State | null;
}

/** A module whose types are forgotten: what is declared of it is looked at, and nothing else is known. */
export type AnyModule = Module;

/** Every module that the package gives away. A new one is here without anybody writing it down. */
export const ALL_MODULES: readonly AnyModule[] = Object.values(modules)
  .filter((value): value is typeof value & AnyModule => typeof value === "function" && "spec" in value)
  .toSorted((a, b) => a.spec.name.localeCompare(b.spec.name));

/** The templates of template's own cases take records alone. */
const TEXT_TEMPLATE: Case = {
  params: { src: join(import.meta.dirname, "fixtures/text.ejs"), dest: "/etc/x", vars: { text: "x" } },
  state: null,
};

/** A module's recorded cases: params and states that are known to be good. */
export function casesOf(module: AnyModule, kind: "probe" | "plan" | "*" = "*"): readonly Case[] {
  const key = `${module.spec.name} ${kind}`;
  const cases = read.get(key) ?? readCases(module, kind);
  read.set(key, cases);
  return cases;
}

const read = new Map<string, readonly Case[]>();

function readCases(module: AnyModule, kind: "probe" | "plan" | "*"): readonly Case[] {
  const more = module.spec.name === "template" && kind !== "probe" ? [TEXT_TEMPLATE] : [];
  return [...caseFiles(module, kind).map((file) => readCase<Case>(file)), ...more];
}

export function caseFiles({ spec: { name } }: AnyModule, kind: "probe" | "plan" | "*"): readonly string[] {
  const places = [`${name.replaceAll("_", "-")}/cases/${kind}-*.json`, `*/cases/${name}/${kind}-*.json`];
  return globSync(places, { cwd: SOURCES })
    .toSorted()
    .map((file) => join(SOURCES, file));
}

import * as modules from "@keybuzz/modules";
import { type Module, suggest } from "@keybuzz/runner";
import { describeParams, type ParamDoc } from "./describe-params.ts";
import { moduleExamples, moduleSource } from "./module-example.ts";
import { shownPath } from "./shown-path.ts";
import { CommandLineError } from "./usage-error.ts";

/** A module, as its own description tells. */
export interface ModuleDoc {
  readonly name: string;
  readonly summary: string;
  /** True for one that proves or awaits, and never changes anything. */
  readonly gate: boolean;
  readonly params: readonly ParamDoc[];
  /** What `--check` and `--diff` tell of it. */
  readonly checkMode: string;
  /** Params that the module is tested with, as TypeScript. */
  readonly examples: readonly string[];
  /** The file that defines it, as a person would type it. */
  readonly source: string | undefined;
}

/** What {@link describeModule} reads of a module. */
export type DescribedModule = Pick<Module, "spec">;

/** Every module, by name. */
export function listModules(): readonly DescribedModule[] {
  return Object.values(modules)
    .filter((value): value is typeof value & DescribedModule => typeof value === "function" && "spec" in value)
    .toSorted((a, b) => a.spec.name.localeCompare(b.spec.name));
}

/** The module of this name, in snake_case or as it is imported. @throws CommandLineError with the nearest name */
export function findModule(name: string): DescribedModule {
  const wanted = name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const known = listModules();
  const found = known.find(({ spec }) => spec.name === wanted);
  if (found !== undefined) return found;
  throw new CommandLineError(`there is no module ${name}`, {
    hint: suggest(
      wanted,
      known.map(({ spec }) => spec.name),
    ),
  });
}

/** What a module is for and what its params are, read from its schema. */
export function describeModule({ spec }: DescribedModule): ModuleDoc {
  const source = moduleSource(spec.name);
  return {
    name: spec.name,
    summary: spec.summary,
    gate: spec.gate === true,
    params: describeParams(spec.params),
    checkMode: describeCheckMode(spec),
    examples: moduleExamples(spec.name),
    source: source === undefined ? undefined : shownPath(source),
  };
}

/** What follows from what a module defines: the engine does the rest the same for all. */
function describeCheckMode({ gate, document, foresee }: DescribedModule["spec"]): string {
  if (gate === true)
    return "Told as it is; skipped where it can hold only after changes that check mode does not make.";
  return [
    "Tells exactly what a run would change, field by field",
    document === undefined ? "." : ", and with --diff the text line by line.",
    foresee === undefined ? "" : " Knows what earlier tasks are going to change.",
  ].join("");
}

import {
  type Action,
  KbError,
  ParamsError,
  type Script,
  Secret,
  Sh,
  type State,
  sh,
  shLines,
  type Task,
} from "@keybuzz/runner";
import { renderWholeWrite, WRITE_FUNCTIONS } from "../../packages/runner/src/engine/write.ts";
import { PLACE_FUNCTIONS } from "../../packages/runner/src/place.ts";
import { type AnyModule, casesOf } from "./modules.ts";
import { labelOf, type Site, valueAt, withValue } from "./param-sites.ts";

/** Stands before and after what is hostile, so that it is found again, whole or in parts. */
export const MARK = "kbm7";

/** What became of a hostile value at a site. */
export type Attempt =
  | { readonly kind: "accepted"; readonly task: Task }
  /** Its own schema said no, and named the param. */
  | { readonly kind: "refused" }
  /** Something else of the params was wrong: nothing is known of the value. */
  | { readonly kind: "unknown"; readonly why: string };

/** Declares a task with a value at a site, on the params of any of the module's cases that let it stand there. */
export function attempt(module: AnyModule, site: Site, value: string): Attempt {
  const given = site.secret ? [new Secret(value), value] : [value];
  const why: string[] = [];
  let refused = false;
  for (const base of basesOf(module, site)) {
    for (const one of given) {
      const outcome = declare(module, withValue(base, site, one), site, value);
      if (outcome.kind === "accepted") return outcome;
      refused ||= outcome.kind === "refused";
      if (outcome.kind === "unknown") why.push(outcome.why);
    }
  }
  return refused ? { kind: "refused" } : { kind: "unknown", why: why.join("; ") };
}

function declare(module: AnyModule, params: unknown, site: Site, value: string): Attempt {
  try {
    return { kind: "accepted", task: module(params as never) };
  } catch (error) {
    if (!(error instanceof ParamsError)) throw error;
    const said = `${error.message}\n${error.detail ?? ""}`;
    if (site.secret && value.length > 8 && said.includes(value)) throw new Error(`a refusal shows the secret: ${said}`);
    const own = site.path.filter((step) => typeof step === "string" && !step.startsWith("kb_"));
    const named = own.some((step) => said.includes(String(step))) || said.includes(value.slice(0, 20));
    return named ? { kind: "refused" } : { kind: "unknown", why: said };
  }
}

const bases = new Map<AnyModule, readonly Readonly<Record<string, unknown>>[]>();

/** Params that are known to be good; without what is above the site, too, where that is of another form. */
function basesOf(module: AnyModule, site: Site): readonly unknown[] {
  const known = bases.get(module) ?? distinct(casesOf(module).map(({ params }) => params));
  bases.set(module, known);
  const [top = ""] = site.path;
  if (site.path.length === 1) return known;
  const without = known.map((params) => Object.fromEntries(Object.entries(params).filter(([name]) => name !== top)));
  return [...known, ...distinct(without)];
}

function distinct<T>(values: readonly T[]): readonly T[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];
}

/** A text that is right at the site: what a case has there. */
export function goodValue(module: AnyModule, site: Site): string {
  for (const { params } of casesOf(module)) {
    const value = valueAt(params, site);
    if (typeof value === "string" && value !== "") return value;
    if (value instanceof Secret) return value.reveal();
  }
  return "x1";
}

/** All scripts that a task sends to a host: its questions, and the actions that follow from any of the recorded states. */
export function scriptsOf(module: AnyModule, task: Task): readonly Script[] {
  const questions = task.probe.questions.map((question): Script => {
    if (question.kind === "batch") return question.batch.render([question.key]);
    return { script: question.script, ...(question.stdin === undefined ? {} : { stdin: question.stdin }) };
  });
  const states = [null, ...casesOf(module, "plan").flatMap(({ state }) => (state === undefined ? [] : [state]))];
  const actions = states.flatMap((state) => actionsOf(task, state));
  return distinctScripts([...questions, ...actions.flatMap(scriptsOfAction)]);
}

/** A module may refuse, in words; anything else that is thrown is a defect. */
export function actionsOf(task: Task, state: State | null): readonly Action[] {
  try {
    const assessment = task.assess(state);
    return assessment.differs ? assessment.actions() : [];
  } catch (error) {
    if (error instanceof KbError || (error instanceof Error && error.constructor === Error)) return [];
    throw error;
  }
}

function scriptsOfAction(action: Action): readonly Script[] {
  switch (action.kind) {
    case "exec":
      return [{ ...inputOf(action), script: action.script }];
    case "wait": {
      const { until, onTimeout } = action;
      return [{ ...inputOf(action), script: until }, ...(onTimeout === undefined ? [] : [{ script: onTimeout }])];
    }
    case "retry":
      return [
        ...action.actions.flatMap(scriptsOfAction),
        ...(action.until === undefined ? [] : [{ script: action.until }]),
      ];
    case "write": {
      const functions = shLines([PLACE_FUNCTIONS, Sh.unsafe(WRITE_FUNCTIONS)]);
      const { validate } = action;
      return [
        { script: shLines([functions, renderWholeWrite(action)]) },
        ...(validate === undefined ? [] : [{ script: sh`KB_FILE=/nowhere; ${validate}` }]),
      ];
    }
  }
}

function inputOf({ stdin }: { readonly stdin?: string | Secret }): Pick<Script, "stdin"> {
  return stdin === undefined ? {} : { stdin };
}

function distinctScripts(scripts: readonly Script[]): readonly Script[] {
  // A write names its temporary file anew each time.
  const keyOf = ({ script }: Script): string => script.text.replace(/\.keybuzz\.[0-9a-f]{16}/g, "");
  return [...new Map(scripts.map((script) => [keyOf(script), script])).values()];
}

export function named(module: AnyModule, site: Site): string {
  return `${module.spec.name}.${labelOf(site)}`;
}

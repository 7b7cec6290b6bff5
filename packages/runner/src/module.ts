import * as z from "zod";
import type { Action } from "./action.ts";
import { callSite } from "./call-site.ts";
import { BugError, ParamsError } from "./errors.ts";
import { requireTags } from "./fleet/tags.ts";
import { type Foreseen, mapProbe, type Probe, type Touched, type Unmet } from "./probe.ts";
import { Secret } from "./secret.ts";
import { equalValues, type State } from "./state.ts";
import { findIllFormed } from "./well-formed.ts";

/** The host as it is, and as it should be. */
export interface Transition<S> {
  readonly current: S | null;
  readonly wanted: S | null;
}

/** What `plan` is made from. */
export interface Step<P, S> extends Transition<S> {
  readonly params: P;
}

/** The text behind a state's fingerprint, for `--diff`: asked for only when it differs and is to be shown. */
export interface Document<P> {
  readonly probe: (params: P) => Probe<string | null>;
  readonly wanted: (params: P) => string | Secret | null;
}

/**
 * A kind of thing that a host can have, as data and pure functions. It never gets a host, a connection or a mode: so it
 * cannot write by accident and cannot get check mode wrong.
 */
export interface ModuleSpec<P extends z.ZodObject, S extends State> {
  /** snake_case; Ansible's word where the meaning is equal. */
  readonly name: string;
  /** One sentence, for `kb module list`. */
  readonly summary: string;
  /** Every param `.describe()`d: `kb module show` prints them. */
  readonly params: P;
  /** What this task is about on its host, in a word: a path, a package, `user@host`. Never a secret. */
  id(params: z.output<P>): string;
  /** The question. {@link Unmet} where something that it needs is missing; an Error for anything unexpected. */
  probe(params: z.output<P>): Probe<S | null | Unmet>;
  /** The state to reach; fields that the params leave open are taken from `current`. `null`: must not exist. */
  desired(params: z.output<P>, current: S | null): S | null;
  /** What to do about a difference. Called only when there is one. */
  plan(step: Step<z.output<P>, S>): readonly [Action, ...Action[]];
  /**
   * Names of what a change alters, for the prediction of later tasks: `file:/etc/x`, `unit:ssh`, `package:vim`.
   * `NAME:ID` unless given. Without `change`: all that any change could alter, the name of the thing itself first.
   */
  touches?(params: z.output<P>, change?: Transition<S>): readonly string[];
  /**
   * The state that the earlier, still pending changes will leave; `current` itself unless given. Check mode only.
   * {@link Unmet} where that cannot be known before they are made.
   */
  foresee?(params: z.output<P>, current: S | null, touched: Touched): S | null | Unmet;
  /**
   * What questions will answer once this change is made: without it, the next task that asks them is planned anew after
   * the change, at the cost of a round trip, and check mode sees the old answers.
   */
  leaves?(step: Step<z.output<P>, S>): readonly Foreseen[];
  readonly document?: Document<z.output<P>>;
  /**
   * True for a module that proves or awaits and declares nothing: `wait_for`, the checks of a verification. It is never
   * "changed"; in check mode, where it does not hold yet, it is skipped with the reason.
   */
  readonly gate?: true;
}

export interface TaskOptions {
  /** Shown in place of `module id`. */
  readonly name?: string;
  /** Longest time for each script that the task runs to change something, in milliseconds; the module's own unless given. */
  readonly timeoutMs?: number;
  /** By which `--tags` and `--skip-tags` choose. */
  readonly tags?: readonly string[];
}

/** What the engine makes of an answer. */
export interface Assessment {
  readonly current: State | null;
  readonly wanted: State | null;
  readonly differs: boolean;
  actions(): readonly Action[];
  /** What this very change alters. */
  touches(): readonly string[];
  /** What questions will answer after it. */
  leaves(): readonly Foreseen[];
}

/** One module with its params: what `ensure` takes. Its types are closed over, so that lists of tasks have one type. */
export interface Task {
  readonly module: string;
  readonly id: string;
  /** `module id`, or the name given. */
  readonly name: string;
  /** `file:line` that declared it. */
  readonly where: string | undefined;
  /** By which `--tags` and `--skip-tags` choose. */
  readonly tags?: readonly string[];
  readonly touches: readonly string[];
  readonly gate: boolean;
  readonly probe: Probe<State | null | Unmet>;
  /** The state that pending changes will leave, or why it cannot be known. Check mode only. */
  foresee(reading: State | null, touched: Touched): State | null | Unmet;
  assess(reading: State | null): Assessment;
  readonly document: { readonly probe: Probe<string | null>; readonly wanted: string | Secret | null } | undefined;
}

/** A defined module: call it with params to get a {@link Task}. */
export interface Module<P extends z.ZodObject = z.ZodObject, S extends State = State> {
  (params: z.input<P>, options?: TaskOptions): Task;
  readonly spec: ModuleSpec<P, S>;
}

/**
 * Makes a module out of its description.
 *
 * ```ts
 * export const timezone = defineModule({ name: "timezone", summary: "...", params, id, probe, desired, plan });
 * await hosts.ensure([timezone({ name: "Europe/Paris" })]);
 * ```
 */
export function defineModule<P extends z.ZodObject, S extends State>(spec: ModuleSpec<P, S>): Module<P, S> {
  if (!/^[a-z][a-z0-9_]*$/.test(spec.name)) throw new BugError(`module name ${spec.name} is not snake_case`);
  const make = (input: z.input<P>, options: TaskOptions = {}): Task => makeTask(spec, input, options, callSite(make));
  return Object.assign(make, { spec });
}

function makeTask<P extends z.ZodObject, S extends State>(
  spec: ModuleSpec<P, S>,
  input: z.input<P>,
  options: TaskOptions,
  where: string | undefined,
): Task {
  const params = parseParams(spec, input, where);
  const id = spec.id(params);
  // The reading goes back only to the task that it came from, so its type is S; one erasure, here.
  const own = (reading: State | null): S | null => reading as S | null;
  requireTags(options.tags ?? []);
  const touches = (change?: Transition<S>): readonly string[] =>
    spec.touches?.(params, change) ?? [`${spec.name}:${id}`];
  return {
    module: spec.name,
    id,
    name: options.name ?? `${spec.name} ${id}`,
    where,
    ...(options.tags === undefined ? {} : { tags: options.tags }),
    touches: touches(),
    gate: spec.gate === true,
    probe: mapProbe(spec.probe(params), (state): State | null | Unmet => state),
    foresee: (reading, touched) => (spec.foresee === undefined ? reading : spec.foresee(params, own(reading), touched)),
    assess(reading) {
      const current = own(reading);
      const wanted = spec.desired(params, current);
      return {
        current,
        wanted,
        differs: !equalValues(current, wanted),
        actions: () => spec.plan({ params, current, wanted }).map((action) => limited(action, options.timeoutMs)),
        touches: () => touches({ current, wanted }),
        leaves: () => spec.leaves?.({ params, current, wanted }) ?? [],
      };
    },
    document:
      spec.document === undefined
        ? undefined
        : { probe: spec.document.probe(params), wanted: spec.document.wanted(params) },
  };
}

function limited(action: Action, timeoutMs: number | undefined): Action {
  return timeoutMs === undefined || action.kind === "write" || action.kind === "retry"
    ? action
    : { ...action, timeoutMs };
}

function parseParams<P extends z.ZodObject, S extends State>(
  spec: ModuleSpec<P, S>,
  input: z.input<P>,
  where: string | undefined,
): z.output<P> {
  const result = spec.params.safeParse(input);
  const illFormed = result.success ? findIllFormed(result.data) : undefined;
  if (result.success && illFormed === undefined) return result.data;
  throw new ParamsError(`bad params for ${spec.name}`, {
    where,
    detail: result.success
      ? `${illFormed?.join(".")}: holds half of a surrogate pair, which is no text`
      : describeIssues(result.error),
    hint: `kb module show ${spec.name}`,
  });
}

/** The issues of a schema's refusal, one a line: `path: message`. Values are left out, since they may be secret. */
export function describeIssues(error: z.ZodError): string {
  return error.issues
    .map((issue) => (issue.path.length === 0 ? issue.message : `${issue.path.join(".")}: ${issue.message}`))
    .join("\n");
}

/** Schema of a param that is a secret: a {@link Secret}, or a text that becomes one. */
export function secretParam(): z.ZodType<Secret, Secret | string> {
  return z
    .union([z.instanceof(Secret), z.string()])
    .transform((value) => (value instanceof Secret ? value : new Secret(value)));
}

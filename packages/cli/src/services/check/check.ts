import {
  type Inventory,
  KbError,
  matchHosts,
  type RehearsalReport,
  type RehearsedFault,
  type RehearsedTask,
  rehearse,
  type Unrehearsed,
} from "@keybuzz/runner";
import { findInventory, readInventory } from "../find-inventory.ts";
import { findPlaybook, loadPlaybook } from "../find-playbook.ts";
import { parseParams } from "../params.ts";
import { shownPath } from "../shown-path.ts";
import { checkTypes, type Diagnostic } from "./compiler.ts";
import { type Place, placeInMessage, placeOf } from "./place.ts";

/** `kb check`, as its command line was. */
export interface CheckRequest {
  readonly playbook: string;
  readonly inventory: string | undefined;
  readonly limit: string | undefined;
  /** `NAME=VALUE` each. */
  readonly params: readonly string[];
  /** Whether types are checked too. */
  readonly types: boolean;
  readonly directory: string;
}

/** Something that is wrong, whatever the hosts are like. */
export interface CheckFault {
  /** `TS2322` and the like for types; else the code of the error: `params`, `inventory`, `playbook`, ... */
  readonly code: string;
  /** `file:line:column`, as editors and terminals link it. */
  readonly place: string | undefined;
  /** The hosts that it was found for; none where it concerns no host in particular. */
  readonly hosts: readonly string[];
  readonly message: string;
  readonly detail: string | undefined;
  readonly hint: string | undefined;
}

/** Something that only a run can tell. */
export interface Unchecked {
  readonly place: string | undefined;
  readonly role: string | undefined;
  readonly reason: string;
}

/** What a host gets, as far as that is known without asking it. */
export interface CheckedHost {
  readonly host: string;
  readonly tasks: readonly { readonly task: string; readonly module: string; readonly where: string | undefined }[];
}

/** All that `kb check` found. */
export interface CheckReport {
  readonly playbook: string;
  readonly inventory: string | undefined;
  readonly types: "checked" | "skipped";
  readonly faults: readonly CheckFault[];
  readonly unchecked: readonly Unchecked[];
  readonly hosts: readonly CheckedHost[];
  readonly ms: number;
}

/**
 * Checks a playbook against an inventory without any host: types, groups, vars, params, templates.
 * @throws UsageError where there is no such playbook or inventory
 */
export async function check(request: CheckRequest): Promise<CheckReport> {
  const started = performance.now();
  const file = findPlaybook(request.playbook, request.directory);
  const inventory = findInventory(request.inventory, request.directory);
  const [types, rehearsal] = await Promise.all([
    request.types ? typeFaults(file, request.directory) : [],
    rehearseFile(file, inventory, request),
  ]);
  return {
    playbook: shownPath(file, request.directory),
    inventory: shownPath(inventory, request.directory),
    types: request.types ? "checked" : "skipped",
    faults: [...types, ...mergeHosts(rehearsal.faults.map((fault) => describeFault(fault, request.directory)))],
    unchecked: uniqueBy(
      rehearsal.unrehearsed.map((left) => describeUnrehearsed(left, request.directory)),
      ({ place, role }) => `${place} ${role}`,
    ),
    hosts: byHost(rehearsal.tasks),
    ms: performance.now() - started,
  };
}

async function typeFaults(file: string, directory: string): Promise<readonly CheckFault[]> {
  try {
    return (await checkTypes(file)).map((diagnostic) => describeDiagnostic(diagnostic, directory));
  } catch (error) {
    return [describeFault({ host: undefined, error }, directory)];
  }
}

/** What is wrong with the files themselves is a finding too: it is told beside what the compiler says of them. */
async function rehearseFile(file: string, inventoryFile: string, request: CheckRequest): Promise<RehearsalReport> {
  try {
    const params = parseParams(request.params);
    const playbook = await loadPlaybook(file);
    const inventory: Inventory = await readInventory(inventoryFile, request.directory);
    const limit = request.limit === undefined ? {} : { limit: matchHosts(inventory, request.limit) };
    return await rehearse(playbook, { inventory, params, directory: request.directory, ...limit });
  } catch (error) {
    if (!(error instanceof KbError)) throw error;
    return { tasks: [], faults: [{ host: undefined, error }], unrehearsed: [] };
  }
}

function describeDiagnostic({ file, line, column, code, message }: Diagnostic, directory: string): CheckFault {
  const [first = "", ...rest] = message.split("\n");
  return {
    code,
    place: file === undefined ? undefined : renderPlace({ file, line, column }, directory),
    hosts: [],
    message: first,
    detail: rest.length === 0 ? undefined : rest.join("\n"),
    hint: undefined,
  };
}

function describeFault({ host, error }: RehearsedFault, directory: string): CheckFault {
  const known = error instanceof KbError ? error : undefined;
  const message = error instanceof Error ? error.message : String(error);
  const written = placeInMessage(message);
  const place = written?.place ?? placeOf(error);
  // A slip in the user's own code comes as a defect with the stack as its detail; the place says more than that.
  const slip = known === undefined || (known.code === "bug" && known.cause !== undefined);
  return {
    code: slip ? "code" : known.code,
    place: place === undefined ? undefined : renderPlace(place, directory),
    hosts: host === undefined ? [] : [host],
    message: slip ? nameOf(known?.cause ?? error, message) : (written?.message ?? message),
    detail: slip ? undefined : known.detail,
    hint: known?.hint,
  };
}

function nameOf(error: unknown, message: string): string {
  return error instanceof Error ? `${error.name}: ${message}` : message;
}

function describeUnrehearsed({ role, error }: Unrehearsed, directory: string): Unchecked {
  const place = placeOf(error);
  return { role, reason: error.message, place: place === undefined ? undefined : renderPlace(place, directory) };
}

function renderPlace({ file, line, column }: Place, directory: string): string {
  return `${shownPath(file, directory)}:${line}:${column}`;
}

/** The same fault of several hosts is told once. */
function mergeHosts(faults: readonly CheckFault[]): readonly CheckFault[] {
  const merged = new Map<string, CheckFault>();
  for (const fault of faults) {
    const key = JSON.stringify({ ...fault, hosts: [] });
    merged.set(key, { ...fault, hosts: [...(merged.get(key)?.hosts ?? []), ...fault.hosts] });
  }
  return [...merged.values()];
}

function uniqueBy<T>(list: readonly T[], key: (item: T) => string): readonly T[] {
  return [...new Map(list.map((item) => [key(item), item])).values()];
}

function byHost(tasks: readonly RehearsedTask[]): readonly CheckedHost[] {
  const hosts = Map.groupBy(tasks, ({ host }) => host);
  return [...hosts].map(([host, list]) => ({
    host,
    tasks: list.map(({ task: { name, module, where } }) => ({ task: name, module, where })),
  }));
}

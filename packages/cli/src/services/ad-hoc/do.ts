import {
  ApplyError,
  ask,
  definePlaybook,
  matchHosts,
  ParamsError,
  type Playbook,
  quoteShell,
  Sh,
  type Task,
} from "@keybuzz/runner";
import * as z from "zod";
import type { Reporter } from "../../reporters/reporter.ts";
import { safeLine } from "../../reporters/safe-text.ts";
import type { ConnectionRequest } from "../connection.ts";
import { type DescribedModule, findModule } from "../module-docs.ts";
import { openInventory } from "../play.ts";
import { runPlaybook } from "../run-playbook.ts";
import { CommandLineError } from "../usage-error.ts";
import { type ParamsInput, parseWords } from "./words.ts";

/** What is done on each host. */
export type AdHoc =
  | { readonly kind: "module"; readonly module: string; readonly words: readonly string[] }
  /** A plain command: one word is a line for the shell, several are a program and its arguments. */
  | { readonly kind: "command"; readonly words: readonly string[] };

/** `kb do`, as its command line was. */
export interface DoRequest {
  readonly pattern: string;
  readonly what: AdHoc;
  readonly inventory: string | undefined;
  readonly check: boolean;
  readonly diff: boolean;
  readonly exitCode: boolean;
  readonly forks: number | undefined;
  readonly connection: ConnectionRequest;
  readonly directory: string;
}

/**
 * Carries out one task, or one plain command, on the hosts of a pattern.
 * @throws UsageError for params that do not fit, and for a plain command in check mode, before any connection is made
 */
export async function doOnHosts(request: DoRequest, reporter: Reporter): Promise<number> {
  const { what, check, directory } = request;
  if (what.kind === "command" && check) refuseCheck();
  const playbook =
    what.kind === "module" ? modulePlaybook(what.module, what.words, directory) : commandPlaybook(what.words, reporter);
  const inventory = await openInventory(request.inventory, directory, reporter);
  return runPlaybook(
    {
      playbook,
      inventory,
      limit: matchHosts(inventory, request.pattern),
      params: {},
      mode: check ? "check" : "apply",
      diff: request.diff,
      forks: request.forks,
      directory,
      connection: request.connection,
      driftIsExit: request.exitCode,
    },
    reporter,
  );
}

const groups = { all: z.object({}) };

function modulePlaybook(name: string, words: readonly string[], directory: string): Playbook {
  const module = findModule(name);
  const input = parseWords(module.spec, words, directory);
  if (module.spec.name === "command" && !("unless" in input) && !("creates" in input)) refuseUnfenced();
  const task = makeTask(module, input);
  return definePlaybook({
    name: `${module.spec.name} ${task.id}`,
    summary: "One task",
    groups,
    async run({ all }) {
      await all.ensure([task]);
    },
  });
}

/** The task, without its place in the code: that is ours, and says nothing to the operator. */
function makeTask(module: DescribedModule, input: ParamsInput): Task {
  try {
    // Erasure point: any module takes any input, and refuses by its schema what does not fit.
    return { ...(module as unknown as (input: ParamsInput) => Task)(input), where: undefined };
  } catch (error) {
    if (!(error instanceof ParamsError)) throw error;
    throw new ParamsError(error.message, { detail: error.detail, hint: error.hint, cause: error.cause });
  }
}

function refuseUnfenced(): never {
  throw new ParamsError("command needs unless=TEST or creates=PATH", {
    detail: `Without one nobody could tell whether it has been done: it would run again each time,
and --check could not say anything about it.`,
    hint: "kb do PATTERN -- COMMAND, to run it as it is, each time",
  });
}

function refuseCheck(): never {
  throw new CommandLineError("a plain command cannot be checked: nobody can tell what it would change", {
    hint: "leave --check out; or use a module, which can tell: kb module list",
  });
}

/**
 * A plain command and what it printed, host by host. It is carried out like a question, and counts as no change: what it
 * changes, if anything, nobody knows.
 */
function commandPlaybook(words: readonly string[], reporter: Reporter): Playbook {
  const script = commandLine(words);
  const shown = safeLine(script.text);
  const note = (text: string): void => reporter.emit({ type: "note", level: "info", text });
  return definePlaybook({
    name: shown,
    summary: "A plain command",
    groups,
    async run({ all }) {
      note("a plain command: it runs each time, and what it changes is not known to kb");
      await all.probe((host) =>
        ask(script, ({ stdout, stderr, exitCode }) => {
          const said = [stdout, stderr].map((text) => text.trimEnd()).filter((text) => text !== "");
          if (exitCode !== 0) {
            const detail = said.length === 0 ? undefined : said.join("\n");
            throw new ApplyError(`exit code ${exitCode}`, { host: host.name, task: shown, detail });
          }
          const text = ["exit code 0", ...said].join("\n");
          reporter.emit({ type: "note", level: "info", text, host: host.name });
        }),
      );
    },
  });
}

/** One word is the operator's own shell line; of several each is quoted, so that a shell leaves them alone. */
function commandLine(words: readonly string[]): Sh {
  const [first, ...rest] = words;
  if (first === undefined || first.trim() === "") throw new CommandLineError("there is no command to run");
  return Sh.unsafe(rest.length === 0 ? first : words.map(quoteShell).join(" "));
}

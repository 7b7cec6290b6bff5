import { inspect } from "node:util";
import * as modules from "@keybuzz/modules";
import {
  ask,
  askBatch,
  type EnsureResult,
  known,
  mapProbe,
  type Probe,
  probeAll,
  Secret,
  type Sh,
  sh,
  shLines,
  sql,
  type Task,
} from "@keybuzz/runner";
import * as z from "zod";
import { askSecret } from "../ask-secret.ts";
import type { HostView } from "../inventory-view.ts";
import { listModules } from "../module-docs.ts";
import { CommandLineError } from "../usage-error.ts";
import type { ConsoleSession } from "./session.ts";

/** What a console offers by name, beside the modules. */
export interface ConsoleScope {
  ensure(tasks: Task | readonly Task[]): Promise<EnsureResult>;
  probe(question: Probe<unknown> | Sh): Promise<unknown>;
  /** Asks for a secret on the terminal, without echo, so that it is in no history. */
  secret(question: string): Promise<Secret>;
  readonly host: HostView;
}

/** All names of a console. */
export function makeScope(session: ConsoleSession, host: HostView): Readonly<Record<string, unknown>> {
  const own: ConsoleScope = {
    host,
    async ensure(tasks) {
      const { mode } = session;
      const result = await session.ensure(tasks);
      return Object.defineProperty(result, inspect.custom, { value: () => summarise(result, mode) });
    },
    probe: (question) => ("questions" in question ? session.probe(question) : session.probe(question)),
    async secret(question) {
      const answer = await askSecret(`${question}: `);
      if (answer !== undefined) return answer;
      throw new CommandLineError("there is no terminal to ask for a secret on");
    },
  };
  return { ...modules, sh, shLines, sql, ask, askBatch, known, mapProbe, probeAll, Secret, z, ...own };
}

/** The names of the params that a module has, by the name it is called with. */
export function paramsOf(identifier: string): readonly string[] {
  const found = Object.entries(modules).find(([name]) => name === identifier)?.[1];
  return found !== undefined && typeof found === "function" && "spec" in found
    ? Object.keys(found.spec.params.shape)
    : [];
}

/** What `.help` says, beside the commands. */
export function helpLines(): readonly string[] {
  const names = listModules().map(({ spec }) =>
    spec.name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
  );
  return [
    'await ensure(apt({ name: "curl" }))     tell what that would change; after .apply on, change it',
    "await probe(sh`uptime`)                 ask the host; also any probe, like one of ask(sh`...`, parse)",
    'await secret("password")                ask for a secret, without echo; new Secret(...) would show it',
    "host                                    its name, address, groups and vars",
    "",
    `modules: ${names.join(", ")}`,
    "also: sh, shLines, sql, ask, askBatch, known, mapProbe, probeAll, Secret, z",
  ];
}

/** Whether a line may hold a secret in clear text: it is then kept out of the history. */
export function mayHoldSecret(line: string): boolean {
  return /\bSecret\s*\(|pass(word|phrase)?|secret\w*\s*[:=]|token/i.test(line) || line.startsWith(" ");
}

/** What a list of tasks did, in a few words: the rest has been told. */
function summarise({ results }: EnsureResult, mode: "check" | "apply"): string {
  const words = Map.groupBy(results, ({ outcome }) =>
    outcome === "changed" && mode === "check" ? "would change" : outcome,
  );
  return [...words].map(([word, list]) => `${list.length} ${word}`).join(", ") || "no task";
}

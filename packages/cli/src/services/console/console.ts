import { createInterface } from "node:readline/promises";
import { type REPLServer, Recoverable, start } from "node:repl";
import { PassThrough } from "node:stream";
import { EXIT, KbError, type RunEvent } from "@keybuzz/runner";
import { errorLines } from "../../reporters/error-lines.ts";
import { moduleLines } from "../../reporters/module-lines.ts";
import { makePaint, type Paint, wantsColours } from "../../reporters/style.ts";
import { TextReport } from "../../reporters/text-report.ts";
import { type ConnectionRequest, prepareReach } from "../connection.ts";
import { findInventory, readInventory } from "../find-inventory.ts";
import { viewHost } from "../inventory-view.ts";
import { describeModule, findModule } from "../module-docs.ts";
import { CommandLineError } from "../usage-error.ts";
import { type Evaluated, makeEvaluate, silenceStrippingNote } from "./evaluate.ts";
import { keepHistory } from "./history.ts";
import { helpLines, makeScope, paramsOf } from "./scope.ts";
import { ConsoleSession } from "./session.ts";

/** `kb console`, as its command line was. */
export interface ConsoleRequest {
  readonly host: string;
  readonly inventory: string | undefined;
  readonly connection: ConnectionRequest;
  readonly directory: string;
}

/**
 * A console on one host. On a terminal it goes on after an error; what comes through a pipe stops at the first, whose exit
 * code it gives back: a script must not go on from what did not work.
 * @throws UsageError for a host that the inventory does not have; KbError where it cannot be reached
 */
export async function openConsole(request: ConsoleRequest): Promise<number> {
  silenceStrippingNote();
  const inventory = await readInventory(findInventory(request.inventory, request.directory), request.directory);
  const host = viewHost(inventory, request.host);
  const paint = makePaint(wantsColours(process.stdout, process.env));
  const terminal = process.stdin.isTTY === true;
  const reach = await prepareReach(request.connection, () => () => {});
  const session = new ConsoleSession({
    inventory,
    host: host.name,
    reach,
    directory: request.directory,
    emit: makeEmit(paint),
  });
  try {
    await session.open();
    const scope = makeScope(session, host);
    const tell = { paint, session, host: host.name };
    return terminal ? await interact(scope, tell) : await follow(scope, tell);
  } catch (error) {
    // A host that is not to be had has been told about by the run itself.
    if (error instanceof KbError && error.place.host !== undefined) return error.exitCode;
    throw error;
  } finally {
    await session.close();
  }
}

interface Tell {
  readonly paint: Paint;
  readonly session: ConsoleSession;
  readonly host: string;
}

/** Outcomes, diffs and errors as `kb play` shows them, without what frames a run. */
function makeEmit(paint: Paint): (event: RunEvent) => void {
  // All outcomes are shown; an error without its stack.
  const tasks = new TextReport({ paint, verbose: true, diff: true });
  const rest = new TextReport({ paint, verbose: false, diff: true });
  const framing: readonly RunEvent["type"][] = ["run-start", "run-end", "host-connected"];
  return (event) => {
    // It says which mode the outcomes are of.
    if (event.type === "run-start") tasks.next(event);
    if (framing.includes(event.type)) return;
    const report = event.type === "task-end" || event.type === "output" ? tasks : rest;
    for (const line of report.next(event)) process.stdout.write(`${line}\n`);
  };
}

/** Shows an error that no run has told about. @returns its exit code */
function tellError(error: unknown, paint: Paint): number {
  const known = error instanceof KbError;
  if (known && error.place.host !== undefined) return error.exitCode;
  const lines = known
    ? errorLines(error, paint, { verbose: false })
    : [error instanceof Error ? `${error.name}: ${error.message}` : `thrown: ${String(error)}`];
  process.stderr.write(`${lines.join("\n")}\n`);
  return known ? error.exitCode : EXIT.hostFailed;
}

/** What a command of the console needs: a way to ask, and a way to write. */
type AskLine = (question: string) => Promise<string>;

const COMMANDS: Readonly<
  Record<string, { readonly help: string; run(words: string, tell: Tell, askLine: AskLine): Promise<void> }>
> = {
  apply: {
    help: "on: let ensure change the host, after a confirmation; off: check mode again",
    async run(words, { session, host }, askLine) {
      if (words === "off") session.mode = "check";
      else if (words !== "on") throw new CommandLineError(`.apply takes on or off; it is ${session.mode}`);
      else if ((await askLine(`ensure will change ${host}. Its name, to confirm: `)).trim() === host)
        session.mode = "apply";
      else throw new CommandLineError("not confirmed: still in check mode");
      process.stdout.write(session.mode === "apply" ? "ensure changes the host\n" : "ensure changes nothing\n");
    },
  },
  params: {
    help: "NAME: the params of a module",
    async run(words, { paint }) {
      process.stdout.write(`${moduleLines(describeModule(findModule(words)), paint).join("\n")}\n`);
    },
  },
  help: {
    help: "this text",
    async run() {
      const commands = Object.entries(COMMANDS).map(([name, { help }]) => `.${name.padEnd(8)}${help}`);
      process.stdout.write(`${[...helpLines(), "", ...commands, ".exit    leave; Ctrl-D too"].join("\n")}\n`);
    },
  },
};

async function runCommand(line: string, tell: Tell, askLine: AskLine): Promise<void> {
  const [, name = "", words = ""] = /^\.(\w*)\s*(.*?)\s*$/.exec(line) ?? [];
  const command = COMMANDS[name];
  if (command === undefined) throw new CommandLineError(`there is no command .${name}`, { hint: ".help lists them" });
  await command.run(words, tell, askLine);
}

/** Lines from a pipe, one after the other, to the first error. */
async function follow(scope: Readonly<Record<string, unknown>>, tell: Tell): Promise<number> {
  const server = start({ input: new PassThrough(), output: new PassThrough(), useGlobal: true, terminal: false });
  Object.assign(server.context, scope);
  const evaluate = await makeEvaluate(server);
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  const askLine: AskLine = async () => String((await lines.next()).value ?? "");
  let source = "";
  try {
    for (let next = await lines.next(); next.done !== true; next = await lines.next()) {
      const line: string = next.value;
      if (source === "" && line.trim() === ".exit") return EXIT.converged;
      if (source === "" && line.startsWith(".")) {
        await runCommand(line, tell, askLine);
        continue;
      }
      source += `${line}\n`;
      const got: Evaluated = source.trim() === "" ? { kind: "value", value: undefined } : await evaluate(source);
      if (got.kind === "unfinished") continue;
      source = "";
      if (got.kind === "error") throw got.error;
      if (got.value !== undefined) process.stdout.write(`${server.writer(got.value)}\n`);
    }
    if (source !== "") throw new CommandLineError("the last statement is not at its end", { detail: source.trimEnd() });
    return EXIT.converged;
  } catch (error) {
    return tellError(error, tell.paint);
  } finally {
    server.close();
  }
}

/** A terminal: line editing, history, completion. */
async function interact(scope: Readonly<Record<string, unknown>>, tell: Tell): Promise<number> {
  const { paint, session, host } = tell;
  process.stdout.write(`${host}: check mode, nothing is changed; .help tells what there is\n`);
  const server = start({ prompt: promptOf(tell), useGlobal: true, ignoreUndefined: true });
  Object.assign(server.context, scope);
  const evaluate = await makeEvaluate(server);
  Object.assign(server, {
    eval: (source: string, _context: unknown, _file: string, done: (error: Error | null, value?: unknown) => void) => {
      void evaluate(source).then((got) => {
        if (got.kind === "unfinished") return done(new Recoverable(new SyntaxError("more has to come")));
        if (got.kind === "error") tellError(got.error, paint);
        return done(null, got.kind === "value" ? got.value : undefined);
      });
    },
  });
  const askLine: AskLine = (question) => new Promise((answer) => server.question(question, answer));
  for (const [name, { help }] of Object.entries(COMMANDS)) {
    server.defineCommand(name, {
      help,
      action(words) {
        this.clearBufferedCommand();
        void runCommand(`.${name} ${words}`, tell, askLine)
          .catch((error: unknown) => tellError(error, paint))
          .finally(() => {
            server.setPrompt(promptOf(tell));
            this.displayPrompt();
          });
      },
    });
  }
  completeParams(server);
  keepHistory(server);
  // Node leaves the await at once; the host ends the action that it is at.
  server.on("SIGINT", () => session.interrupt());
  await new Promise((closed) => server.once("exit", closed));
  return EXIT.converged;
}

function promptOf({ session, host, paint }: Tell): string {
  return session.mode === "check" ? `${host} (check)> ` : `${paint("bad", `${host} (apply)`)}> `;
}

/** Completes the params of a module, inside of its call. */
function completeParams(server: REPLServer): void {
  const complete = server.completer;
  Object.assign(server, {
    completer(line: string, done: (error: Error | null, result?: readonly [readonly string[], string]) => void) {
      const [, module = "", begun = ""] = /(\w+)\(\{(?:[^{}]*[,{\s])?(\w*)$/.exec(line) ?? [];
      const names = paramsOf(module).filter((name) => name.startsWith(begun));
      if (names.length > 0) done(null, [names.map((name) => `${name}: `), begun]);
      else complete.call(server, line, done as never);
    },
  });
}

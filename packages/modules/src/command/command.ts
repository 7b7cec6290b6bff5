import {
  ask,
  defineModule,
  exec,
  type ModuleSpec,
  mapProbe,
  type Output,
  type Probe,
  type Sh,
  sh,
  shLines,
  type Unmet,
  unmet,
} from "@keybuzz/runner";
import * as z from "zod";
import { absolutePath, inputText, shellText } from "../params/params.ts";
import { pathFacts } from "../probes/path-facts.ts";

const params = z
  .strictObject({
    run: shellText().describe("What to run, as sh`...`: POSIX shell text with every value quoted."),
    unless: shellText()
      .optional()
      .describe(
        "Read-only test: exits with 0 where it has been done, with 1 where not. Anything else: it cannot be told yet.",
      ),
    creates: absolutePath().optional().describe("A path that exists once it has been done."),
    chdir: absolutePath().optional().describe("The directory to run in, for `unless` too; / unless given."),
    environment: z
      .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "must be the name of a variable"), z.string())
      .default({})
      .describe("Environment variables, for `unless` too. Never secrets: every process of the user can read them."),
    stdin: inputText().optional().describe("Text for standard input of `run`: the way for secrets."),
    touches: z
      .array(z.string())
      .default([])
      .describe('Resources that it alters, like "file:/etc/x", for what check mode says of later tasks.'),
    redoneAfter: z
      .array(z.string())
      .default([])
      .describe(
        "Resources whose change makes `unless` fail: check mode foresees that it runs after any change of one.",
      ),
    timeoutMs: z.int().min(1000).default(600_000).describe("Longest time for `run`, in milliseconds."),
    detach: z
      .boolean()
      .default(false)
      .describe(
        "Run it as a job of its own, which goes on when the connection is lost: the same task again waits for that job.",
      ),
  })
  .refine(
    ({ unless, creates }) => (unless === undefined) !== (creates === undefined),
    "either unless or creates is needed: without one, it could not be told whether it has been done",
  );

type Params = z.output<typeof params>;
type CommandState = { readonly done: boolean };

function inPlace({ chdir, environment }: Params, script: Sh): Sh {
  const variables = Object.entries(environment).map(([name, value]) => sh`export ${`${name}=${value}`}`);
  return shLines([...(chdir === undefined ? [] : [sh`cd -- ${chdir} || exit 125`]), ...variables, script]);
}

function probe(given: Params): Probe<CommandState | Unmet> {
  const { creates, unless = sh`exit 125` } = given;
  if (creates !== undefined) return mapProbe(pathFacts(creates), (facts) => ({ done: facts !== null }));
  return ask(
    sh`{ ${inPlace(given, unless)}
} >/dev/null`,
    parseTest,
  );
}

/** A test that fails for another reason than "not yet" must not pass as one: grep(1), say, exits with 2 for no file. */
function parseTest({ stderr, exitCode }: Output): CommandState | Unmet {
  if (exitCode <= 1) return { done: exitCode === 0 };
  const said = stderr.trim().split("\n").at(-1) ?? "";
  return unmet(
    `its \`unless\` test exited with ${exitCode}${said === "" ? "" : `: ${said}`}`,
    "let the test exit with 0 for done and 1 for not done",
  );
}

const spec: ModuleSpec<typeof params, CommandState> = {
  name: "command",
  summary: "Run a script where a test says that it has not been done",
  params,
  id: ({ run }) => firstLine(run),
  probe,
  desired: () => ({ done: true }),
  foresee: ({ redoneAfter }, current, touched) =>
    redoneAfter.some((resource) => touched.has(resource)) ? { done: false } : current,
  plan: ({ params: given }) => [
    exec(inPlace(given, given.run), {
      timeoutMs: given.timeoutMs,
      ...(given.detach ? { detach: true } : {}),
      ...(given.stdin === undefined ? {} : { stdin: given.stdin }),
    }),
  ],
  touches: ({ run, creates, touches }) => [
    `command:${firstLine(run)}`,
    ...(creates === undefined ? [] : [`file:${creates}`]),
    ...touches,
  ],
};

function firstLine(run: Sh): string {
  const line =
    run.text
      .split("\n")
      .find((text) => text.trim() !== "")
      ?.trim() ?? "(empty)";
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
}

/**
 * A script that is run where `unless` says, or the missing path `creates` shows, that it has not been done. It is asked
 * again afterwards: a script that leaves its own test unmet has failed.
 *
 * ```ts
 * command({ run: sh`openssl dhparam -out ${path} 2048`, creates: path })
 * ```
 */
export const command = defineModule(spec);

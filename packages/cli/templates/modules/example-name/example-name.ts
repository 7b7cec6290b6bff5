import { ask, defineModule, sh } from "@keybuzz/runner";
import * as z from "zod";

/** One line in a file of its own. @see https://manpages.debian.org/trixie/coreutils/cat.1.en.html */
export const exampleName = defineModule({
  name: "example_name",
  summary: "Keep one line in a file of its own",
  params: z.strictObject({
    path: z.string().regex(/^\//, "must be an absolute path").describe("The file, as an absolute path."),
    line: z
      .string()
      .regex(/^[^\n]*$/, "must be one line")
      .describe("What it holds."),
  }),
  id: ({ path }) => path,
  // Reads, and nothing else: it runs in check mode too. "Not there" has an exit code of its own, so that no other failure
  // can pass for it.
  probe: ({ path }) =>
    ask(sh`[ -e ${path} ] || exit 3; cat -- ${path}`, ({ stdout, stderr, exitCode }) => {
      if (exitCode === 3) return null;
      if (exitCode !== 0) throw new Error(`cannot be read: ${stderr.trim()}`);
      return { line: stdout.replace(/\n$/, "") };
    }),
  desired: ({ line }) => ({ line }),
  // Called only where what was read differs from what is desired.
  plan: ({ params: { path, line } }) => [{ kind: "write", path, content: `${line}\n`, mode: "0644" }],
  // Later tasks on the same file know in check mode that it is going to change.
  touches: ({ path }) => [`file:${path}`],
});

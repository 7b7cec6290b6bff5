import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Content, defineModule, type ModuleSpec } from "@keybuzz/runner";
import * as z from "zod";
import { fileLeft } from "../files/file-left.ts";
import {
  checkManagedFile,
  desiredFile,
  type FileState,
  fileDocument,
  foreseeFile,
  type ManagedFile,
  planFile,
  probeFile,
} from "../files/managed-file.ts";
import { absolutePath, accountName, fileMode, shellText, textOrSecret } from "../params/params.ts";

const params = z
  .strictObject({
    path: absolutePath().describe("The file, as an absolute path. Its directory has to exist."),
    content: textOrSecret().optional().describe("The whole content, as text or as a Secret. Excludes `src`."),
    src: controllerFile()
      .optional()
      .describe(
        "A file of the controller whose bytes are the content: a file URL, or a path from the working directory.",
      ),
    state: z.enum(["present", "absent"]).default("present").describe("Whether the file should exist."),
    mode: fileMode()
      .optional()
      .describe('Permission bits, like "0644". Unless given: as they are; 0644 for a new file, 0600 for a secret.'),
    owner: accountName().optional().describe("Name or number of the owner; as it is unless given."),
    group: accountName().optional().describe("Name or number of the group; as it is unless given."),
    force: z
      .boolean()
      .default(true)
      .describe("False: give the content to a new file only, leave an existing one alone."),
    validate: shellText()
      .optional()
      .describe("Run before the file is put in place, with the candidate's path in $KB_FILE; must exit with 0."),
  })
  .refine(({ content, src }) => content === undefined || src === undefined, "content and src exclude each other")
  .refine(
    ({ state, content, src }) => state === "present" || (content === undefined && src === undefined),
    "a file that should be absent has no content",
  );

/** Reads the file once, when the task is declared, so that all hosts get the same bytes. */
function controllerFile(): z.ZodType<Content, string | URL> {
  return z.union([z.string(), z.instanceof(URL)]).transform((src, context): Content => {
    try {
      const bytes = readFileSync(src instanceof URL ? fileURLToPath(src) : src);
      const text = bytes.toString("utf8");
      return Buffer.from(text).equals(bytes) ? text : bytes;
    } catch (error) {
      context.addIssue(error instanceof Error ? error.message : String(error));
      return z.NEVER;
    }
  });
}

type Params = z.output<typeof params>;

function describeFile({ path, content, src, state, mode, owner, group, force, validate }: Params): ManagedFile {
  const given = content ?? src;
  return checkManagedFile({ path, content: given, state, mode, owner, group, force, validate });
}

const spec: ModuleSpec<typeof params, FileState> = {
  name: "file",
  summary: "Keep a regular file's content, permission bits and owner, or its absence",
  params,
  id: ({ path }) => path,
  probe: (given) => probeFile(describeFile(given)),
  desired: (given, current) => desiredFile(describeFile(given), current),
  foresee: ({ path }, current, touched) => foreseeFile(path, current, touched),
  plan: ({ params: given, current, wanted }) => planFile(describeFile(given), current, wanted),
  touches: ({ path }) => [`file:${path}`],
  leaves: ({ params: given, wanted }) => fileLeft(describeFile(given), wanted),
  document: fileDocument(describeFile),
};

/**
 * A regular file. It is replaced as a whole, by a rename: hard links and access control lists of the old one are lost.
 * A symbolic link in its place is replaced, not followed; a directory in its place is an error.
 *
 * ```ts
 * file({ path: "/etc/motd", content: "Managed by KeyBuzz\n", mode: "0644", owner: "root", group: "root" })
 * ```
 */
export const file = defineModule(spec);

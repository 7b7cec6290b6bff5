import { defineModule, type ModuleSpec } from "@keybuzz/runner";
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
import { absolutePath, accountName, fileMode, shellText } from "../params/params.ts";
import { renderTemplate, templatePath } from "./render.ts";

const params = z.strictObject({
  src: z
    .union([z.string(), z.instanceof(URL)])
    .transform(templatePath)
    .describe("The EJS template on the controller: a file URL, or a path from the working directory."),
  dest: absolutePath().describe("The file on the host, as an absolute path. Its directory has to exist."),
  vars: z
    .record(z.string(), z.unknown())
    .default({})
    .describe("The names that the template may use. Secrets may be among the values, at any depth."),
  mode: fileMode()
    .optional()
    .describe('Permission bits, like "0644". Unless given: as they are; 0644 for a new file, 0600 for a secret.'),
  owner: accountName().optional().describe("Name or number of the owner; as it is unless given."),
  group: accountName().optional().describe("Name or number of the group; as it is unless given."),
  force: z.boolean().default(true).describe("False: render for a new file only, leave an existing one alone."),
  validate: shellText()
    .optional()
    .describe("Run before the file is put in place, with the candidate's path in $KB_FILE; must exit with 0."),
});

type Params = z.output<typeof params>;

/** Rendered once for each task: `probe`, `desired`, `plan` and `document` speak of the same text. */
const rendered = new WeakMap<Params, ManagedFile>();

function describeFile(given: Params): ManagedFile {
  const known = rendered.get(given);
  if (known !== undefined) return known;
  const { src, dest, vars, mode, owner, group, force, validate } = given;
  const content = renderTemplate(src, vars);
  const file = checkManagedFile({ path: dest, content, state: "present", mode, owner, group, force, validate });
  rendered.set(given, file);
  return file;
}

const spec: ModuleSpec<typeof params, FileState> = {
  name: "template",
  summary: "Keep a file rendered from an EJS template on the controller",
  params,
  id: ({ dest }) => dest,
  probe: (given) => probeFile(describeFile(given)),
  desired: (given, current) => desiredFile(describeFile(given), current),
  foresee: ({ dest }, current, touched) => foreseeFile(dest, current, touched),
  plan: ({ params: given, current, wanted }) => planFile(describeFile(given), current, wanted),
  touches: ({ dest }) => [`file:${dest}`],
  leaves: ({ params: given, wanted }) => fileLeft(describeFile(given), wanted),
  document: fileDocument(describeFile),
};

/**
 * A file rendered from an EJS template. Values are inserted unescaped; a name that the template uses and `vars` does not
 * have is an error with file and line. Where a secret is inserted, the whole content is one.
 *
 * ```ts
 * template({ src: new URL("./templates/galera.cnf.ejs", import.meta.url), dest: "/etc/mysql/conf.d/galera.cnf", vars: { nodes } })
 * ```
 */
export const template = defineModule(spec);

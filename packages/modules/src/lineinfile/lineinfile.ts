import { defineModule, type ModuleSpec } from "@keybuzz/runner";
import * as z from "zod";
import {
  desiredEdited,
  type EditedFile,
  type EditedState,
  editedLeft,
  planEdited,
  probeEdited,
} from "../files/edited-file.ts";
import { absolutePath, accountName, fileMode, oneLine, pattern, placeOf } from "../params/params.ts";
import { removeLines, setLine } from "../text/line-edit.ts";

const params = z
  .strictObject({
    path: absolutePath().describe("The file, as an absolute path."),
    line: oneLine()
      .optional()
      .describe("The line, without its newline. With `state: absent` and no `regexp`: the line to remove."),
    regexp: pattern()
      .optional()
      .describe(
        "JavaScript regular expression for the line to replace (the last that matches), or for all lines to remove.",
      ),
    state: z.enum(["present", "absent"]).default("present").describe("Whether the line should be there."),
    insertafter: pattern()
      .optional()
      .describe("A new line goes after the last line that this matches; to the end otherwise."),
    insertbefore: z
      .union([z.literal("BOF"), pattern()])
      .optional()
      .describe('A new line goes before the last line that this matches, or to the start of the file with "BOF".'),
    create: z.boolean().default(false).describe("Create the file where it is missing."),
    mode: fileMode().optional().describe("Permission bits; as they are unless given, 0644 for a new file."),
    owner: accountName().optional().describe("Name or number of the owner; as it is unless given."),
    group: accountName().optional().describe("Name or number of the group; as it is unless given."),
  })
  .refine(({ state, line }) => state === "absent" || line !== undefined, "line is needed")
  .refine(({ line, regexp }) => line !== undefined || regexp !== undefined, "line or regexp is needed")
  .refine(
    ({ insertafter, insertbefore }) => insertafter === undefined || insertbefore === undefined,
    "insertafter and insertbefore exclude each other",
  );

type Params = z.output<typeof params>;

function describeFile(given: Params): EditedFile {
  const { path, line = "", regexp, state, create, mode, owner, group } = given;
  const edit = (text: string): string =>
    state === "absent" ? removeLines(text, given.line, regexp) : setLine(text, line, regexp, placeOf(given));
  return { path, create, mode, owner, group, edit };
}

const spec: ModuleSpec<typeof params, EditedState> = {
  name: "lineinfile",
  summary: "Keep one line in a text file, or lines out of it",
  params,
  id: ({ path }) => path,
  probe: (given) => probeEdited(describeFile(given)),
  desired: (given, current) => desiredEdited(describeFile(given), current),
  plan({ params: { path }, current, wanted }) {
    if (wanted === null) throw new Error(`${path} is never removed by an edit`);
    return [planEdited(path, current, wanted)];
  },
  touches: ({ path }) => [`file:${path}`],
  leaves: ({ params: { path }, wanted }) => editedLeft(path, wanted),
};

/**
 * One line of a text file. All other lines keep every byte, their line ends too.
 *
 * ```ts
 * lineinfile({ path: "/etc/ssh/sshd_config", regexp: /^#?PasswordAuthentication /, line: "PasswordAuthentication no" })
 * ```
 */
export const lineinfile = defineModule(spec);

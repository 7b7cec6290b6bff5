import { defineModule, type ModuleSpec, mapProbe, unmet } from "@keybuzz/runner";
import * as z from "zod";
import {
  desiredEdited,
  type EditedFile,
  type EditedState,
  editedLeft,
  planEdited,
  probeEdited,
} from "../files/edited-file.ts";
import { absolutePath, accountName, fileMode, pattern } from "../params/params.ts";

const params = z.strictObject({
  path: absolutePath().describe("The file, as an absolute path. It has to exist."),
  regexp: pattern().describe(
    "JavaScript regular expression, applied to the whole text; ^ and $ match at lines. Every match is replaced.",
  ),
  replace: z
    .string()
    .regex(/^[^\0]*$/, "must not hold a NUL character")
    .default("")
    .describe(
      "What takes the place of each match: $1 or $<name> stand for groups, $$ for a dollar. Nothing unless given.",
    ),
  mode: fileMode().optional().describe("Permission bits; as they are unless given."),
  owner: accountName().optional().describe("Name or number of the owner; as it is unless given."),
  group: accountName().optional().describe("Name or number of the group; as it is unless given."),
});

type Params = z.output<typeof params>;

function describeFile({ path, regexp, replace, mode, owner, group }: Params): EditedFile {
  const every = new RegExp(regexp.source, `${regexp.flags.replace("m", "")}gm`);
  const edit = (text: string): string => {
    const edited = text.replace(every, replace);
    if (edited.replace(every, replace) !== edited) {
      throw new Error(`${path}: what is put in matches again, so every run would change it: let regexp not match it`);
    }
    return edited;
  };
  return { path, create: false, mode, owner, group, edit };
}

const spec: ModuleSpec<typeof params, EditedState> = {
  name: "replace",
  summary: "Replace all that a pattern matches in a text file",
  params,
  id: ({ path }) => path,
  probe: (given) =>
    mapProbe(
      probeEdited(describeFile(given)),
      (found) => found ?? unmet(`${given.path} does not exist`, "add the task that brings the file before this one"),
    ),
  desired(given, current) {
    const wanted = desiredEdited(describeFile(given), current);
    if (wanted === null) throw new Error(`${given.path} does not exist`);
    return wanted;
  },
  foresee: ({ path }, current) => current ?? unmet(`what ${path} holds is known once it is there`),
  plan({ params: { path }, current, wanted }) {
    if (wanted === null) throw new Error(`${path} is never removed by an edit`);
    return [planEdited(path, current, wanted)];
  },
  touches: ({ path }) => [`file:${path}`],
  leaves: ({ params: { path }, wanted }) => editedLeft(path, wanted),
};

/**
 * All that a pattern matches in a text file, replaced. A replacement that matches again is refused, since it would be made
 * on every run.
 *
 * ```ts
 * replace({ path: "/etc/ssh/sshd_config", regexp: /^#?(PermitRootLogin) .*$/, replace: "$1 prohibit-password" })
 * ```
 */
export const replace = defineModule(spec);

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
import { type Markers, setBlock } from "../text/block-edit.ts";
import { splitLines } from "../text/lines.ts";

const params = z
  .strictObject({
    path: absolutePath().describe("The file, as an absolute path."),
    block: z
      .string()
      .regex(/^[^\0]*$/, "must not hold a NUL character")
      .default("")
      .describe("The lines between the markers. An empty block is removed with its markers."),
    marker: oneLine()
      .default("# {mark} KEYBUZZ MANAGED BLOCK")
      .describe(
        "The lines around the block, with {mark} for BEGIN and END. Blocks of one file need different markers.",
      ),
    state: z.enum(["present", "absent"]).default("present").describe("Whether the block should be there."),
    insertafter: pattern()
      .optional()
      .describe("A new block goes after the last line that this matches; to the end otherwise."),
    insertbefore: z
      .union([z.literal("BOF"), pattern()])
      .optional()
      .describe('A new block goes before the last line that this matches, or to the start of the file with "BOF".'),
    create: z.boolean().default(false).describe("Create the file where it is missing."),
    mode: fileMode().optional().describe("Permission bits; as they are unless given, 0644 for a new file."),
    owner: accountName().optional().describe("Name or number of the owner; as it is unless given."),
    group: accountName().optional().describe("Name or number of the group; as it is unless given."),
  })
  .refine(({ marker }) => marker.split("{mark}").length === 2, "marker needs {mark} once")
  .refine((given) => {
    const { begin, end } = markersOf(given.marker);
    return !splitLines(given.block).some(({ text }) => text === begin || text === end);
  }, "the block holds one of its own markers")
  .refine(
    ({ insertafter, insertbefore }) => insertafter === undefined || insertbefore === undefined,
    "insertafter and insertbefore exclude each other",
  );

type Params = z.output<typeof params>;

function markersOf(marker: string): Markers {
  return { begin: marker.replace("{mark}", "BEGIN"), end: marker.replace("{mark}", "END") };
}

function describeFile(given: Params): EditedFile {
  const { path, block, marker, state, create, mode, owner, group } = given;
  const wanted = state === "absent" || block === "" ? null : block;
  const edit = (text: string): string => {
    try {
      return setBlock(text, wanted, markersOf(marker), placeOf(given));
    } catch (cause) {
      throw new Error(`${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    }
  };
  return { path, create, mode, owner, group, edit };
}

const spec: ModuleSpec<typeof params, EditedState> = {
  name: "blockinfile",
  summary: "Keep a block of lines between two markers in a text file",
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
 * A block of lines between two markers. All lines outside keep every byte. Markers that are no pair are an error: where
 * one of them was removed by hand, what belongs to the block cannot be told.
 *
 * ```ts
 * blockinfile({ path: "/etc/hosts", block: "10.0.0.170 maria-01\n10.0.0.171 maria-02\n" })
 * ```
 */
export const blockinfile = defineModule(spec);

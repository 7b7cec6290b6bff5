import {
  type Action,
  defineModule,
  exec,
  inFolder,
  inFolderOf,
  type ModuleSpec,
  mapProbe,
  probeAll,
  type Sh,
  sh,
} from "@keybuzz/runner";
import * as z from "zod";
import { ownerArgument } from "../files/managed-file.ts";
import { absolutePath, accountName, fileMode } from "../params/params.ts";
import { foreseeBelowMounts } from "../params/resources.ts";
import { directoryFacts, groupAs, ownerAs, pathFacts } from "../probes/path-facts.ts";

const params = z
  .strictObject({
    path: absolutePath().describe(
      "The directory, as an absolute path. Missing ones above it are created, with mode 0755.",
    ),
    state: z.enum(["present", "absent"]).default("present").describe("Whether the directory should exist."),
    mode: fileMode()
      .optional()
      .describe('Permission bits, like "0755". Unless given: as they are; 0755 for a new one.'),
    owner: accountName().optional().describe("Name or number of the owner; as it is unless given."),
    group: accountName().optional().describe("Name or number of the group; as it is unless given."),
    force: z
      .boolean()
      .default(false)
      .describe(
        "With `state: absent`: remove what is inside as well. Other file systems mounted below are left alone.",
      ),
  })
  .refine(
    ({ path, force }) => !force || path.split("/").length > 2,
    "a directory at the top of the tree is never removed with its content",
  );

/** Links are followed: what is described is the directory behind them. */
type DirectoryState = { readonly mode: string; readonly owner?: string; readonly group?: string };

/** root by number where the params speak of numbers. */
function rootAs(wanted: string | undefined): string {
  return wanted !== undefined && /^\d+$/.test(wanted) ? "0" : "root";
}

function removeAll(name: string): Sh {
  return sh`rm -rf --one-file-system -- ${name}`;
}

/** Sets what differs of the directory that the shell stands in, the mode last: chown(2) clears the set-user-ID bits. */
function setOwn(current: Partial<DirectoryState>, wanted: DirectoryState): Sh {
  const owner = ownerArgument(current, wanted);
  const mode = sh`chmod -- ${wanted.mode} .`;
  return owner === "" ? mode : sh`chown -- ${owner} . && ${mode}`;
}

const spec: ModuleSpec<typeof params, DirectoryState> = {
  name: "directory",
  summary: "Keep a directory with its permission bits and owner, or its absence",
  params,
  id: ({ path }) => path,
  probe: ({ path, owner, group }) =>
    mapProbe(probeAll({ itself: pathFacts(path), behind: directoryFacts(path) }), ({ itself, behind }) => {
      if (behind !== null) {
        return { mode: behind.mode, owner: ownerAs(behind, owner), group: groupAs(behind, group) };
      }
      if (itself === null) return null;
      throw new Error(`${path} is ${itself.kind === "link" ? "a symbolic link to no directory" : "no directory"}`);
    }),
  desired(given, current) {
    if (given.state === "absent") return null;
    const owner = given.owner ?? current?.owner;
    const group = given.group ?? current?.group;
    return {
      mode: given.mode ?? current?.mode ?? "0755",
      ...(owner === undefined ? {} : { owner }),
      ...(group === undefined ? {} : { group }),
    };
  },
  foresee({ path, owner, group }, current, touched) {
    const root = { mode: "0755", owner: rootAs(owner), group: rootAs(group) };
    return foreseeBelowMounts(path, touched, current, (depth) => (depth === "root" ? root : null));
  },
  plan({ params: { path, mode, force }, current, wanted }): readonly [Action, ...Action[]] {
    if (wanted === null) return [exec(inFolderOf(path, (name) => (force ? removeAll(name) : sh`rmdir -- ${name}`)))];
    if (current !== null) return [exec(inFolder(path, setOwn(current, wanted)))];
    // Made closed and opened last, so that nobody gets in before it belongs to its owner. A mode that the params leave
    // open is right from the start: after a run that was cut short, nothing would tell that it is not.
    const first = mode === undefined ? wanted.mode : "0700";
    return [exec(inFolder(path, setOwn({}, wanted), first))];
  },
  touches: ({ path }) => [`file:${path}`],
};

/**
 * A directory. `state: "absent"` removes an empty one; `force` is asked for to remove a full one.
 *
 * ```ts
 * directory({ path: "/opt/keybuzz/mariadb/data", owner: "999", group: "999", mode: "0700" })
 * ```
 */
export const directory = defineModule(spec);

import { askBatch, type Batch, type Foreseen, foreseen, type Output, type Probe, sh } from "@keybuzz/runner";
import { amongPresent, takeLines } from "./lines.ts";

/** What lstat(2) says of a path, as far as modules compare it. */
export interface PathFacts {
  readonly kind: "file" | "directory" | "link" | "other";
  /** Four octal digits: `"0644"`. */
  readonly mode: string;
  readonly uid: string;
  readonly gid: string;
  /** The user's name, or the number where no account has it. */
  readonly owner: string;
  readonly group: string;
}

/**
 * One stat(1) for all paths. A missing path is told apart from one that must not be looked at by the nearest directory
 * above it that exists: without its search bit, nothing is known of what is below.
 *
 * A line a key: `MODE:UID:GID:USER:GROUP`, `-` where there is nothing, `?` where it cannot be told.
 * @see https://www.gnu.org/software/coreutils/manual/html_node/stat-invocation.html
 */
const STAT: Batch = {
  name: "stat",
  render: (keys) => ({
    script: sh`set -- ${keys}
kb_gone() { d=$1; while [ "$d" != / ]; do d=\${d%/*}; [ -n "$d" ] || d=/; if [ -e "$d" ]; then [ -x "$d" ] || [ ! -d "$d" ]; return; fi; done; }
m=
for p do if [ -e "$p" ] || [ -L "$p" ]; then m=$m+; elif kb_gone "$p"; then m=$m-; else m=$m?; fi; done
${amongPresent(sh`stat -c %f:%u:%g:%U:%G`)}`,
  }),
  split: (stdout, keys) => takeLines(stdout, keys.length),
};

/** What is at a path, itself and not what it links to; `null` where nothing is. */
export function pathFacts(path: string): Probe<PathFacts | null> {
  return askBatch(STAT, path, (output) => parseFacts(path, output));
}

/** What is behind a path when links are followed, if that is a directory; `null` otherwise. */
export function directoryFacts(path: string): Probe<PathFacts | null> {
  // path_resolution(7): "/." follows a link at the end, and exists below directories only.
  return pathFacts(path === "/" ? path : `${path}/.`);
}

function parseFacts(path: string, { stdout, stderr, exitCode }: Output): PathFacts | null {
  const line = stdout.trimEnd();
  if (line === "-") return null;
  if (line === "?") throw new Error(`cannot look at ${path}: a directory above it may not be searched by this user`);
  const match = /^([0-9a-f]{1,4}):(\d+):(\d+):([^:]*):([^:]*)$/.exec(line);
  if (match === null || exitCode !== 0) {
    throw new Error(`stat gave no answer for ${path}: ${stderr.trim() || JSON.stringify(line)}`);
  }
  const [, bits = "", uid = "", gid = "", owner = "", group = ""] = match;
  const raw = Number.parseInt(bits, 16);
  return {
    kind: KINDS[raw >> 12] ?? "other",
    mode: (raw & 0o7777).toString(8).padStart(4, "0"),
    uid,
    gid,
    owner: owner === "UNKNOWN" ? uid : owner,
    group: group === "UNKNOWN" ? gid : group,
  };
}

/** File types of inode(7), shifted down by twelve bits. */
const KINDS: Readonly<Record<number, PathFacts["kind"]>> = { 4: "directory", 8: "file", 10: "link" };

/** What a regular file is to have; what is open stays as it was, and is root's for a new file. */
export interface FileAttributes {
  readonly mode: string;
  readonly owner?: string | undefined;
  readonly group?: string | undefined;
}

/** What the question for a path answers once there is such a file; `null`: once nothing is there. */
export function pathFactsLeft(path: string, left: FileAttributes | null): Foreseen {
  return foreseen(STAT, path, (before) => {
    if (left === null) return "-\n";
    const [, uid = "0", gid = "0", owner = "root", group = "root"] =
      before === "-\n" ? [] : before.trimEnd().split(":");
    const user = accountAs(left.owner, uid, owner);
    const members = accountAs(left.group, gid, group);
    if (user === undefined || members === undefined) return undefined;
    const bits = (0o100000 | Number.parseInt(left.mode, 8)).toString(16);
    return `${bits}:${user.number}:${members.number}:${user.name}:${members.name}\n`;
  });
}

/** Number and name of an account by either of them, where it is the one that is there already, or root. */
function accountAs(
  wanted: string | undefined,
  number: string,
  name: string,
): { readonly number: string; readonly name: string } | undefined {
  if (wanted === undefined || wanted === number || wanted === name) return { number, name };
  return wanted === "0" || wanted === "root" ? { number: "0", name: "root" } : undefined;
}

/** The owner in the words of whoever asked: a number where a number is wanted, the name otherwise. */
export function ownerAs(facts: PathFacts, wanted: string | undefined): string {
  return wanted !== undefined && /^\d+$/.test(wanted) ? facts.uid : facts.owner;
}

/** The group in the words of whoever asked. */
export function groupAs(facts: PathFacts, wanted: string | undefined): string {
  return wanted !== undefined && /^\d+$/.test(wanted) ? facts.gid : facts.group;
}

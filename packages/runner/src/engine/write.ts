import { randomBytes } from "node:crypto";
import type { Content, WriteAction } from "../action.ts";
import { placeOf } from "../place.ts";
import { revealText } from "../secret.ts";
import { quoteShell, Sh, sh } from "../sh.ts";

/**
 * `kb_write CONTENT DIRECTORY NAME TEMPORARY OWNER MODE VALIDATE`: replaces one file by what the function CONTENT prints.
 * Ends the (sub)shell that it is called in where it fails.
 *
 * The new content is only ever reached through the descriptor that created it, and the target by its name in a directory
 * that the shell stands in: whoever else may write there cannot lead it astray. `set -C` makes dash, busybox and bash open
 * the new file with O_EXCL. The directory is not synced: a power cut may bring the old file back whole, and the next run
 * sees it.
 *
 * `kb_stage DIRECTORY NAME`: makes a directory of this user's own in one that nobody else can change, and goes there.
 */
export const WRITE_FUNCTIONS = `kb_write() {
  kb_enter "$2" || exit 1
  [ ! -d "$3" ] || { echo "$2/\${3#./} is a directory" >&2; exit 1; }
  umask 077; kb_new=$4; KB_FILE=\${PWD%/}/\${kb_new#./}; export KB_FILE
  trap 'rm -f -- "$kb_new"' EXIT; trap 'exit 130' INT TERM HUP; set -C; exec 3>"$kb_new"; set +C
  # The shell's own printf does not say why it fails; cat does.
  "$1" >&3 2>/dev/null || { "$1" | cat >&3; exit 1; }
  # Open for reading from here on: a program that is open for writing cannot be run by its validation (ETXTBSY).
  exec 4</proc/self/fd/3 3>&-
  [ -z "$5" ] || chown -- "$5" /proc/self/fd/4 || exit 1
  chmod -- "$6" /proc/self/fd/4 || exit 1
  [ -z "$7" ] || ( exec 4<&-; eval "$7" ) </dev/null || exit 1
  sync -- /proc/self/fd/4 && mv -fT -- "$kb_new" "$3" || exit 1
  trap - EXIT
}
kb_stage() {
  kb_enter "$1" && kb_ours && mkdir -m 0700 -- "$2" && cd -- "$2" || exit 1
  kb_new=$2; trap 'cd .. && rm -rf -- "$kb_new"' EXIT; trap 'exit 130' INT TERM HUP
}`;

/** From this many files of one directory on, all of its file system is synced at once, in place of each file. */
const MANY = 8;

/** Files of one list that are replaced together. */
export interface WriteInGroup {
  readonly action: WriteAction;
  /** Name of the shell function that prints its content. */
  readonly content: string;
}

/** A shell function that prints a content. What a shell word cannot hold comes as base64. */
export function renderContent(name: string, content: Content): string {
  const text = content instanceof Uint8Array ? undefined : revealText(content);
  if (text !== undefined && !text.includes("\0")) return `${name}() { printf %s ${quoteShell(text)}; }`;
  const bytes = content instanceof Uint8Array ? Buffer.from(content) : Buffer.from(text ?? "");
  return `${name}() { printf %s ${bytes.toString("base64")} | base64 -d; }`;
}

/** The script that replaces one file, given the function that prints its content. */
export function renderWrite({ action, content }: WriteInGroup): Sh {
  const { directory, name } = placeOf(action.path);
  const validate = action.validate?.text ?? "";
  return sh`kb_write ${[content, directory, name, temporaryName(), ownerOf(action), action.mode, validate]}`;
}

/**
 * Replaces many files with a handful of processes a directory. In each, the new files are made in a directory that only
 * this user can enter; they are owned and synced there, and renamed over the old ones by one mv(1): each rename by itself
 * is atomic, as that of {@link renderWrite} is. Fails as a whole, without a word and without a trace but whole new files.
 */
export function renderWriteGroup(group: readonly WriteInGroup[]): string {
  const folders = Map.groupBy(group, ({ action }) => placeOf(action.path).directory);
  return [...folders].map(([folder, files]) => `( ${renderFolder(folder, files)}\n)`).join(" && ");
}

function renderFolder(folder: string, files: readonly WriteInGroup[]): string {
  const temporary = temporaryName();
  const nameOf = ({ action }: WriteInGroup): string => placeOf(action.path).name;
  const all = files.map(nameOf);
  const lines = [sh`kb_stage ${folder} ${temporary}`.text];
  for (const [mode, some] of Map.groupBy(files, ({ action }) => action.mode)) {
    lines.push(
      `umask ${umaskFor(mode)}`,
      ...some.map((file) => `${file.content} >${quoteShell(nameOf(file))} || exit 1`),
    );
  }
  for (const [owner, some] of Map.groupBy(files, ({ action }) => ownerOf(action))) {
    if (owner !== "") lines.push(sh`chown -- ${owner} ${some.map(nameOf)} || exit 1`.text);
  }
  for (const [mode, some] of Map.groupBy(files, ({ action }) => action.mode)) {
    if (!isGivenByUmask(mode)) lines.push(sh`chmod -- ${mode} ${some.map(nameOf)} || exit 1`.text);
  }
  lines.push(
    files.length > MANY ? "sync -f . || exit 1" : sh`sync -- ${all} || exit 1`.text,
    sh`mv -f -t .. -- ${all} || exit 1`.text,
    sh`cd .. && rmdir -- ${temporary} && trap - EXIT`.text,
  );
  return lines.join("\n");
}

function ownerOf({ owner, group }: WriteAction): string {
  return (owner ?? "") + (group === undefined ? "" : `:${group}`);
}

function temporaryName(): string {
  return `./.keybuzz.${randomBytes(8).toString("hex")}`;
}

/** open(2) creates files with 0666 less the mask: other bits need a chmod. */
function isGivenByUmask(mode: string): boolean {
  return (Number.parseInt(mode, 8) & ~0o666) === 0;
}

function umaskFor(mode: string): string {
  return isGivenByUmask(mode) ? (0o666 & ~Number.parseInt(mode, 8)).toString(8).padStart(3, "0") : "077";
}

/** Whether an action may be carried out together with others. */
export function isGroupable(action: WriteAction): boolean {
  return action.validate === undefined;
}

/** For {@link Sh} users: a script that defines the content and replaces the file with it. */
export function renderWholeWrite(action: WriteAction): Sh {
  return Sh.unsafe(`${renderContent("kb_c", action.content)}\n${renderWrite({ action, content: "kb_c" }).text}`);
}

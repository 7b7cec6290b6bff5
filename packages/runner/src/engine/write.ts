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
 * `kb_stage DIRECTORY NAME`: makes a directory of this user's own in one that nobody else can change, and goes there;
 * `kb_staged` goes back there. `kb_sweep` removes what a run that was killed an hour ago or earlier has left half done.
 */
export const WRITE_FUNCTIONS = `kb_write() {
  kb_enter "$2" || exit 1
  [ ! -d "$3" ] || { echo "$2/\${3#./} is a directory" >&2; exit 1; }
  kb_sweep; umask 077; kb_new=$4; KB_FILE=\${PWD%/}/\${kb_new#./}; export KB_FILE
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
kb_sweep() {
  set -- ./.keybuzz.*
  [ ! -e "$1" ] || ! kb_ours || find . -maxdepth 1 -name '.keybuzz.*' -mmin +60 -exec rm -rf -- {} +
}
kb_stage() { kb_enter "$1" && kb_ours && kb_sweep && mkdir -m 0700 -- "$2" && cd -- "$2" || exit 1; }
kb_staged() { kb_enter "$1" && cd -- "$2" || exit 1; }`;

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
 * this user can enter, and owned and synced there. When all are ready they are renamed over the old ones by one mv(1) a
 * directory: each rename by itself is atomic, as that of {@link renderWrite} is. Where one of them cannot be had none is
 * replaced, and nothing is said.
 */
export function renderWriteGroup(group: readonly WriteInGroup[]): string {
  const folders = [...Map.groupBy(group, ({ action }) => placeOf(action.path).directory)].map(([path, files]) => ({
    ...{ path, files },
    stage: temporaryName(),
  }));
  const steps = [
    ...folders.map(({ path, stage, files }) => inSubshell(renderStage(path, stage, files))),
    ...folders.map(({ path, stage, files }) => inSubshell(renderMove(path, stage, files))),
  ];
  const undo = folders.map(({ path, stage }) => sh`( kb_enter ${path} && rm -rf -- ${stage} )`.text);
  return `${steps.join(" && ")} || { ${undo.join("; ")}; false; }`;
}

function inSubshell(lines: readonly string[]): string {
  return `(\n${lines.join("\n")}\n)`;
}

function nameOf({ action }: WriteInGroup): string {
  return placeOf(action.path).name;
}

function renderStage(folder: string, stage: string, files: readonly WriteInGroup[]): readonly string[] {
  const lines = [sh`kb_stage ${folder} ${stage}`.text];
  for (const [mode, some] of Map.groupBy(files, ({ action }) => action.mode)) {
    lines.push(`umask ${umaskFor(mode)}`);
    for (const file of some) {
      lines.push(sh`[ ! -d ${`.${nameOf(file)}`} ] && `.text + sh`${file.content} >${nameOf(file)} || exit 1`.text);
    }
  }
  for (const [owner, some] of Map.groupBy(files, ({ action }) => ownerOf(action))) {
    if (owner !== "") lines.push(sh`chown -- ${owner} ${some.map(nameOf)} || exit 1`.text);
  }
  for (const [mode, some] of Map.groupBy(files, ({ action }) => action.mode)) {
    if (!isGivenByUmask(mode)) lines.push(sh`chmod -- ${mode} ${some.map(nameOf)} || exit 1`.text);
  }
  lines.push(files.length > MANY ? "sync -f . || exit 1" : sh`sync -- ${files.map(nameOf)} || exit 1`.text);
  return lines;
}

function renderMove(folder: string, stage: string, files: readonly WriteInGroup[]): readonly string[] {
  return [
    sh`kb_staged ${folder} ${stage}`.text,
    sh`mv -f -t .. -- ${files.map(nameOf)} || exit 1`.text,
    sh`cd .. && rmdir -- ${stage}`.text,
  ];
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

/** A script of its own that replaces a file, where the functions of {@link WRITE_FUNCTIONS} are known. */
export function renderWholeWrite(action: WriteAction): Sh {
  return Sh.unsafe(`${renderContent("kb_c", action.content)}\n${renderWrite({ action, content: "kb_c" }).text}`);
}

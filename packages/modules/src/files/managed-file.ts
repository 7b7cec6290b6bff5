import { createHash } from "node:crypto";
import {
  type Action,
  type Content,
  type Document,
  exec,
  inFolderOf,
  mapProbe,
  ParamsError,
  type Probe,
  probeAll,
  Secret,
  type Sh,
  sh,
  type Touched,
  type Unmet,
} from "@keybuzz/runner";
import { foreseeBelowMounts } from "../params/resources.ts";
import { fileDigest } from "../probes/digests.ts";
import { fileText } from "../probes/file-text.ts";
import { groupAs, ownerAs, pathFacts } from "../probes/path-facts.ts";

/** A file as it should be: what `file` and `template` have in common. */
export interface ManagedFile {
  readonly path: string;
  /** Undefined where only the attributes matter; a missing file is then created empty. */
  readonly content: Content | undefined;
  readonly state: "present" | "absent";
  readonly mode: string | undefined;
  readonly owner: string | undefined;
  readonly group: string | undefined;
  /** Whether a file that exists gets the content too. */
  readonly force: boolean;
  readonly validate: Sh | undefined;
}

/** State of a file. The digest is missing where the content is not compared, and secret where the content is. */
export type FileState = {
  readonly kind: "file" | "link";
  readonly mode: string;
  readonly owner?: string;
  readonly group?: string;
  readonly sha256?: string | Secret;
};

/**
 * Refuses what could never be right.
 * @throws ParamsError where a secret would be readable by every user of the host
 */
export function checkManagedFile(file: ManagedFile): ManagedFile {
  if (file.content instanceof Secret && file.mode !== undefined && readableByOthers(file.mode)) {
    throw new ParamsError(`${file.path} holds a secret, and mode ${file.mode} lets every user of the host read it`, {
      hint: 'mode: "0600", or "0640" with the group that reads it',
    });
  }
  return file;
}

/** Reads a file as far as its params compare it. */
export function probeFile(file: ManagedFile): Probe<FileState | null> {
  const secret = file.content instanceof Secret;
  const compared = file.content !== undefined && file.state === "present";
  const facts = mapProbe(pathFacts(file.path), (found): Omit<FileState, "sha256"> | null => {
    if (found === null) return null;
    if (found.kind === "directory" || found.kind === "other") {
      throw new Error(`${file.path} is ${found.kind === "directory" ? "a directory" : "no regular file"}`);
    }
    if (found.kind === "link" && file.content === undefined && file.state === "present") {
      throw new Error(`${file.path} is a symbolic link; name the file that it points to`);
    }
    const { kind, mode } = found;
    return { kind, mode, owner: ownerAs(found, file.owner), group: groupAs(found, file.group) };
  });
  if (!compared) return facts;
  return mapProbe(probeAll({ facts, digest: fileDigest(file.path) }), (found) => {
    if (found.facts === null || found.facts.kind === "link") return found.facts;
    if (found.digest === null) throw new Error(`${file.path} changed while it was looked at`);
    return { ...found.facts, sha256: secret ? new Secret(found.digest) : found.digest };
  });
}

/** Nothing, where an earlier task will mount a new file system above the file. */
export function foreseeFile(path: string, current: FileState | null, touched: Touched): FileState | null | Unmet {
  return foreseeBelowMounts(path, touched, current, () => null);
}

/** The state to reach. An open mode is 0644 for a new file, and never lets others read a secret. */
export function desiredFile(file: ManagedFile, current: FileState | null): FileState | null {
  if (file.state === "absent") return null;
  if (current !== null && !file.force && current.kind === "link") return current;
  const kept = current?.kind === "file" ? current : undefined;
  const owner = file.owner ?? kept?.owner;
  const group = file.group ?? kept?.group;
  const sha256 = kept !== undefined && !file.force ? kept.sha256 : digest(file.content);
  return {
    kind: "file",
    mode: file.mode ?? openMode(file, kept),
    ...(owner === undefined ? {} : { owner }),
    ...(group === undefined ? {} : { group }),
    ...(sha256 === undefined ? {} : { sha256 }),
  };
}

function openMode(file: ManagedFile, kept: FileState | undefined): string {
  if (!(file.content instanceof Secret)) return kept?.mode ?? "0644";
  return kept === undefined || (file.force && readableByOthers(kept.mode)) ? "0600" : kept.mode;
}

function readableByOthers(mode: string): boolean {
  return (Number.parseInt(mode, 8) & 0o004) !== 0;
}

function digest(content: Content | undefined): string | Secret | undefined {
  if (content === undefined) return undefined;
  const hash = (data: string | Uint8Array): string => createHash("sha256").update(data).digest("hex");
  return content instanceof Secret ? new Secret(hash(content.reveal())) : hash(content);
}

/** What brings a file from one state to the other. */
export function planFile(
  file: ManagedFile,
  current: FileState | null,
  wanted: FileState | null,
): readonly [Action, ...Action[]] {
  if (wanted === null) return [exec(inFolderOf(file.path, (name) => sh`rm -f -- ${name}`))];
  const { mode, owner, group } = wanted;
  if (current?.kind !== "file" || !sameDigest(current, wanted)) {
    const write = { kind: "write", path: file.path, content: file.content ?? "", mode } as const;
    return [
      {
        ...write,
        ...(owner === undefined ? {} : { owner }),
        ...(group === undefined ? {} : { group }),
        ...(file.validate === undefined ? {} : { validate: file.validate }),
      },
    ];
  }
  return [exec(setAttributes(file.path, current, wanted))];
}

function sameDigest(a: FileState, b: FileState): boolean {
  if (a.sha256 instanceof Secret && b.sha256 instanceof Secret) return a.sha256.equals(b.sha256);
  return a.sha256 === b.sha256;
}

/** Permission bits and owners; those that are open are undefined. */
export interface Attributes {
  readonly mode?: string | undefined;
  readonly owner?: string | undefined;
  readonly group?: string | undefined;
}

/** `OWNER:GROUP` as chown(1) takes it, of what differs; empty where nothing does. */
export function ownerArgument(current: Attributes, wanted: Attributes): string {
  const owner = wanted.owner === current.owner ? "" : (wanted.owner ?? "");
  const group = wanted.group === current.group || wanted.group === undefined ? "" : `:${wanted.group}`;
  return owner + group;
}

/**
 * Sets what differs of a regular file, the mode last: chown(2) clears the set-user-ID bits. Nothing that a link leads to
 * is touched, whoever puts it there in the meantime.
 */
export function setAttributes(path: string, current: Attributes, wanted: Attributes): Sh {
  return inFolderOf(path, (name) => sh`kb_attributes ${[name, ownerArgument(current, wanted), wanted.mode ?? ""]}`);
}

/** Old and new text for `--diff`; bytes that are no text are told by their number. */
export function fileDocument<P>(describe: (params: P) => ManagedFile): Document<P> {
  return {
    probe: (params) => {
      const file = describe(params);
      if (file.content === undefined && file.state === "present") return { questions: [], parse: () => null };
      return mapProbe(fileText(file.path), (text) => (text?.includes("\uFFFD") ? "(no UTF-8 text)\n" : text));
    },
    wanted: (params) => {
      const { content, state } = describe(params);
      if (state === "absent" || content === undefined) return null;
      return content instanceof Uint8Array ? `(${content.length} bytes, no UTF-8 text)\n` : content;
    },
  };
}

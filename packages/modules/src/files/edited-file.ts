import { type Action, exec, type Foreseen, mapProbe, type Probe, type Unmet, unmet } from "@keybuzz/runner";
import { digestLeft } from "../probes/digests.ts";
import { type Ownership, type TextFile, textFile, textLeft } from "../probes/file-text.ts";
import { pathFactsLeft } from "../probes/path-facts.ts";
import { setAttributes } from "./managed-file.ts";

/** A file of which a part is declared, and how that part is put into its text. */
export interface EditedFile extends Ownership {
  readonly path: string;
  readonly mode?: string | undefined;
  /** Whether a missing file is created. Without it, a missing file is something that the task needs. */
  readonly create: boolean;
  readonly edit: (text: string) => string;
}

/** State of an edited file: owner and group are open until it exists. */
export type EditedState = {
  readonly text: string;
  readonly mode: string;
  readonly owner?: string;
  readonly group?: string;
};

/** Reads the file; {@link Unmet} where it is missing and must not be created. */
export function probeEdited(file: EditedFile): Probe<TextFile | null | Unmet> {
  return mapProbe(textFile(file.path, file), (found) =>
    found === null && !file.create && file.edit("") !== ""
      ? unmet(`${file.path} does not exist`, "create: true, or the task that brings the file before this one")
      : found,
  );
}

/** The file with its declared part in place. A missing file of which nothing is declared stays missing. */
export function desiredEdited(file: EditedFile, current: EditedState | null): EditedState | null {
  const text = file.edit(current?.text ?? "");
  if (current === null && text === "") return null;
  const owner = file.owner ?? current?.owner;
  const group = file.group ?? current?.group;
  return {
    text,
    mode: file.mode ?? current?.mode ?? "0644",
    ...(owner === undefined ? {} : { owner }),
    ...(group === undefined ? {} : { group }),
  };
}

/** What the questions about an edited file answer once it is as wanted. */
export function editedLeft(path: string, wanted: EditedState | null): readonly Foreseen[] {
  return wanted === null
    ? []
    : [...textLeft(path, wanted.text), digestLeft(path, wanted.text), pathFactsLeft(path, wanted)];
}

/** Rewrites the file where its text differs, and sets its attributes otherwise. */
export function planEdited(path: string, current: EditedState | null, wanted: EditedState): Action {
  const { text, mode, owner, group } = wanted;
  if (current?.text === text) return exec(setAttributes(path, current, wanted));
  return {
    kind: "write",
    path,
    content: text,
    mode,
    ...(owner === undefined ? {} : { owner }),
    ...(group === undefined ? {} : { group }),
  };
}

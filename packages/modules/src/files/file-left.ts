import { type Foreseen, Secret } from "@keybuzz/runner";
import { digestLeft } from "../probes/digests.ts";
import { textLeft } from "../probes/file-text.ts";
import { pathFactsLeft } from "../probes/path-facts.ts";
import type { FileState, ManagedFile } from "./managed-file.ts";

/** What the questions about a file answer once it is as wanted. The text of a secret is not foreseen. */
export function fileLeft({ path, content, force }: ManagedFile, wanted: FileState | null): readonly Foreseen[] {
  if (wanted === null) return [pathFactsLeft(path, null), digestLeft(path, null), ...textLeft(path, null)];
  if (wanted.kind === "link") return [];
  const facts = pathFactsLeft(path, wanted);
  // Without force, a file that exists keeps what it has.
  if (content === undefined || !force) return [facts];
  const digest = digestLeft(path, content instanceof Secret ? content.reveal() : content);
  return typeof content === "string" ? [facts, digest, ...textLeft(path, content)] : [facts, digest];
}

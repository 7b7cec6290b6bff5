import type { Emit } from "../events.ts";
import type { Play } from "../playbook.ts";
import type { Selection } from "./selection.ts";
import { requireTags } from "./tags.ts";

/** @internal What a playbook names its phases with. */
export function makePhase(selection: Selection, emit: Emit): Play<never>["phase"] {
  function phase(name: string): void;
  function phase(name: string, tags: readonly string[], part: () => Promise<unknown>): Promise<void>;
  function phase(name: string, tags?: readonly string[], part?: () => Promise<unknown>): void | Promise<void> {
    if (tags === undefined || part === undefined) return emit({ type: "phase", name, hosts: [] });
    requireTags(tags);
    if (selection.leavesOut(tags)) return Promise.resolve();
    emit({ type: "phase", name, hosts: [] });
    return selection.within(tags, async () => void (await part()));
  }
  return phase;
}

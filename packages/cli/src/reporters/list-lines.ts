import type { ListedTask } from "@keybuzz/runner";
import { safeLine } from "./safe-text.ts";
import type { Paint } from "./style.ts";
import { type Cell, renderTable } from "./table.ts";

/** The tasks that a playbook would come to, phase by phase, with their tags and hosts. */
export function taskLines(playbook: string, tasks: readonly ListedTask[], paint: Paint): string[] {
  const phases = Map.groupBy(tasks, ({ phase }) => phase);
  const blocks = [...phases].flatMap(([phase, own]) => {
    const rows = own.map(({ task, tags, hosts }): readonly Cell[] => [
      { text: task },
      { text: hosts.join(", "), tone: "place" },
      { text: tags.join(", "), tone: "dim" },
    ]);
    const title = phase === "" ? [] : [paint("strong", safeLine(phase))];
    return ["", ...title, ...renderTable(["task", "hosts", "tags"], rows, paint).map((line) => `  ${line}`)];
  });
  return [countLine(playbook, tasks.length, "task", paint), ...blocks];
}

/** The tags of those tasks. */
export function tagLines(
  playbook: string,
  tags: readonly { readonly tag: string; readonly tasks: number }[],
  paint: Paint,
): string[] {
  const rows = tags.map(({ tag, tasks }): readonly Cell[] => [{ text: tag }, { text: String(tasks) }]);
  const table = tags.length === 0 ? [] : ["", ...renderTable(["tag", "tasks"], rows, paint).map((line) => `  ${line}`)];
  return [countLine(playbook, tags.length, "tag", paint), ...table];
}

/** The hosts that it would work on, group by group. */
export function hostLines(
  playbook: string,
  groups: readonly { readonly group: string; readonly hosts: readonly string[] }[],
  paint: Paint,
): string[] {
  const rows = groups.map(({ group, hosts }): readonly Cell[] => [
    { text: group },
    { text: hosts.length === 0 ? "nobody" : hosts.join(", "), tone: hosts.length === 0 ? "dim" : "place" },
  ]);
  const count = new Set(groups.flatMap(({ hosts }) => hosts)).size;
  const table = renderTable(["group", "hosts"], rows, paint).map((line) => `  ${line}`);
  return [countLine(playbook, count, "host", paint), "", ...table];
}

function countLine(playbook: string, count: number, what: string, paint: Paint): string {
  return `${paint("strong", safeLine(playbook))}: ${count} ${count === 1 ? what : `${what}s`}`;
}

import type { DefinitionView, GroupView, HostView, VarView } from "../services/inventory-view.ts";
import { safeLine } from "./safe-text.ts";
import type { Paint } from "./style.ts";
import { renderTable, width } from "./table.ts";

/** Groups and hosts as a tree; with `vars`, what each host's vars are and where they were written. */
export function treeLines(tree: GroupView, paint: Paint, options: { readonly vars: boolean }): string[] {
  const nameWidth = Math.max(0, ...allHosts(tree).map(({ name }) => width(name)));
  const lines = (group: GroupView, margin: string): string[] => [
    `${margin}${paint("strong", safeLine(group.name))}`,
    ...group.hosts.flatMap((host) => [
      `${margin}  ${paint("place", safeLine(host.name).padEnd(nameWidth))}  ${safeLine(host.address)}`,
      ...(options.vars ? varLines(host, paint).map((line) => `${margin}    ${line}`) : []),
    ]),
    ...group.children.flatMap((child) => lines(child, `${margin}  `)),
  ];
  return lines(tree, "");
}

/** One host: where it is declared, its groups, and its vars with their sources. */
export function hostLines(host: HostView, paint: Paint): string[] {
  return [
    `${paint("strong", safeLine(host.name))}  ${safeLine(host.address)}  ${paint("dim", safeLine(host.source))}`,
    `groups: ${host.groups.map(safeLine).join(", ")}`,
    ...varLines(host, paint),
  ];
}

/** Each var of a host with its value and where it was written. */
export function varLines({ vars }: Pick<HostView, "vars">, paint: Paint): string[] {
  const rows = vars.map((view) => [
    { text: view.name, tone: "place" as const },
    { text: valueText(view) },
    { text: view.source, tone: "dim" as const },
  ]);
  // Without the header: three columns that speak for themselves.
  return renderTable([], rows, paint).slice(1);
}

/** Why a var has its value: all definitions, the one that counts first. */
export function whyLines(definitions: readonly DefinitionView[], paint: Paint): string[] {
  const rows = definitions
    .toReversed()
    .map((view) => [
      { text: view.counts ? "counts" : "overridden", tone: view.counts ? ("good" as const) : ("dim" as const) },
      { text: valueText(view) },
      { text: `${view.level} (${view.owner})` },
      { text: view.source, tone: "dim" as const },
    ]);
  return renderTable([], rows, paint).slice(1);
}

function valueText({ value, secrets, template }: VarView): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const notes = [...(secrets ?? []), ...(template === true ? ["a Jinja template, not evaluated"] : [])];
  return notes.length === 0 ? text : `${text} (${notes.join(", ")})`;
}

function allHosts(group: GroupView): readonly HostView[] {
  return [...group.hosts, ...group.children.flatMap(allHosts)];
}

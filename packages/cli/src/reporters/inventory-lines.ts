import type { GroupView, HostView } from "../services/inventory-view.ts";
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

function varLines({ vars }: HostView, paint: Paint): string[] {
  const rows = vars.map(({ name, value, source }) => [
    { text: name, tone: "place" as const },
    { text: typeof value === "string" ? value : JSON.stringify(value) },
    { text: source, tone: "dim" as const },
  ]);
  // Without the header: three columns that speak for themselves.
  return renderTable([], rows, paint).slice(1);
}

function allHosts(group: GroupView): readonly HostView[] {
  return [...group.hosts, ...group.children.flatMap(allHosts)];
}

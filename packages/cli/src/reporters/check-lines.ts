import type { CheckFault, CheckReport, Unchecked } from "../services/check/check.ts";
import { indent } from "./error-lines.ts";
import { renderDuration } from "./recap.ts";
import { safeLine, safeText } from "./safe-text.ts";
import type { Paint } from "./style.ts";

const COLUMN = 12;
const MARGIN = " ".repeat(COLUMN + 1);

/** What `kb check` found, for people: what is wrong, what could not be looked at and why, and what was. */
export function checkLines(report: CheckReport, paint: Paint, { verbose }: { readonly verbose: boolean }): string[] {
  const on = report.inventory === undefined ? "" : ` against ${safeLine(report.inventory)}`;
  return [
    `${paint("strong", safeLine(report.playbook))}${on} ${paint("dim", "(nothing is connected to)")}`,
    ...(verbose ? taskLines(report, paint) : []),
    ...report.faults.flatMap((fault) => faultLines(fault, paint)),
    ...report.unchecked.map((left) => uncheckedLine(left, paint)),
    "",
    verdict(report, paint),
  ];
}

function taskLines({ hosts }: CheckReport, paint: Paint): readonly string[] {
  return hosts.flatMap(({ host, tasks }) =>
    tasks.map(({ task, where }) => {
      const at = where === undefined ? "" : paint("dim", `  ${safeLine(where)}`);
      return `${paint("good", "checked".padEnd(COLUMN))} ${paint("strong", safeLine(host))}  ${safeLine(task)}${at}`;
    }),
  );
}

function faultLines({ place, hosts, code, message, detail, hint }: CheckFault, paint: Paint): readonly string[] {
  const at = place === undefined ? "" : `${paint("place", safeLine(place))}  `;
  const on = hosts.length === 0 ? "" : `${paint("strong", hosts.map(safeLine).join(", "))}: `;
  const head = `${at}${on}${safeText(message)} ${paint("dim", code)}`;
  return [
    `${paint("bad", "error".padEnd(COLUMN))} ${head.replaceAll("\n", `\n${MARGIN}`)}`,
    ...indent(safeText(detail ?? "").trimEnd(), `${MARGIN}${paint("dim", "  | ")}`),
    ...(hint === undefined ? [] : [`${MARGIN}  ${paint("place", "try:")} ${safeText(hint)}`]),
  ];
}

function uncheckedLine({ place, role, reason }: Unchecked, paint: Paint): string {
  const at = place === undefined ? "" : `${paint("place", safeLine(place))}  `;
  const what = role === undefined ? "the rest of the playbook" : `the rest of the role ${safeLine(role)}`;
  return `${paint("doubt", "not checked".padEnd(COLUMN))} ${at}${what}: ${safeText(reason)}`;
}

function verdict({ faults, unchecked, hosts, types, ms }: CheckReport, paint: Paint): string {
  const tasks = hosts.flatMap((host) => host.tasks);
  const templates = tasks.filter(({ module }) => module === "template").length;
  const looked = [
    types === "checked" ? "types" : undefined,
    count(hosts.filter(({ host }) => host !== "controller").length, "host"),
    `${count(tasks.length, "task")} (${count(templates, "template")})`,
  ].filter((part) => part !== undefined);
  const left = unchecked.length === 0 ? "" : `; ${count(unchecked.length, "place")} left to a run with --check`;
  const found = faults.length === 0 ? paint("good", "no error") : paint("bad", count(faults.length, "error"));
  const skipped = types === "checked" ? "" : `; ${paint("doubt", "types not checked")}`;
  return `${paint("strong", `checked ${looked.join(", ")} in ${renderDuration(ms)}`)}: ${found}${left}${skipped}`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

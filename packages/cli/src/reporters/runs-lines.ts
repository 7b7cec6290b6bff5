import type { ListedRun, ShownRun } from "../services/runs.ts";
import { makeReport } from "./quiet.ts";
import { renderDuration } from "./recap.ts";
import { safeLine } from "./safe-text.ts";
import type { Paint, Tone } from "./style.ts";
import { renderTable } from "./table.ts";

const TONES: Readonly<Record<string, Tone>> = { converged: "good", checked: "good", drift: "change" };

/** The recorded runs, one a line. */
export function runsLines(runs: readonly ListedRun[], paint: Paint): readonly string[] {
  if (runs.length === 0) return ["no run is recorded here"];
  const rows = runs.map(({ id, record, ended }) => {
    const tone = TONES[ended] ?? "bad";
    if (record === undefined) return [{ text: id }, {}, {}, {}, {}, { text: ended, tone }].map(filled);
    return [
      { text: id },
      { text: record.command === "apply" ? `${record.playbook.name} (plan)` : record.playbook.name },
      { text: record.mode },
      { text: record.startedAt.replace(/\.\d+Z$/, "Z") },
      { text: durationOf(record.startedAt, record.endedAt) },
      { text: ended, tone },
    ];
  });
  return renderTable(["run", "playbook", "mode", "started", "took", ""], rows, paint);
}

function filled(cell: { readonly text?: string; readonly tone?: Tone }) {
  return { text: "", ...cell };
}

function durationOf(startedAt: string, endedAt: string | null): string {
  return endedAt === null ? "" : renderDuration(Date.parse(endedAt) - Date.parse(startedAt));
}

/** How a run was asked for, what it changed and why it ended; `verbose`: all that it told. */
export function runLines(run: ShownRun, paint: Paint, verbose: boolean): readonly string[] {
  const { record, events, outcome } = run;
  const report = makeReport({ paint, verbose, diff: verbose }, !verbose);
  const told = events.flatMap((event) => report.next(event));
  return [
    ...headLines(run, paint),
    "",
    ...told,
    ...(told.length > 0 ? [""] : []),
    `${paint("strong", "ended:")} ${safeLine(run.why)}`,
    ...(record.mode === "apply" && isLeft(run) ? [`  ${paint("place", "try:")} kb resume ${record.id}`] : []),
    ...(outcome.hosts.length === 0 ? ["  (the journal holds no event)"] : []),
  ];
}

function isLeft({ state, outcome }: ShownRun): boolean {
  return state !== "running" && outcome.hosts.some((host) => host.outcome !== "done");
}

function headLines({ record }: ShownRun, paint: Paint): readonly string[] {
  const params = Object.entries(record.params).map(([name, value]) => `${name}=${value}`);
  const secrets = record.secretParams.map((name) => `${name}=<secret>`);
  const fields: readonly (readonly [string, string | null])[] = [
    ["run", `${record.id}${record.endedAt === null ? "" : `, ${durationOf(record.startedAt, record.endedAt)}`}`],
    ["playbook", `${record.playbook.file} (${record.mode})`],
    ["plan", record.plan],
    ["resumes", record.resumes],
    ["inventory", record.inventory.file],
    ["limit", record.limit?.join(", ") ?? null],
    ["params", [...params, ...secrets].join(" ") || null],
    ["by", `${record.user}@${record.process.host}, kb ${record.kbVersion}`],
    ["commit", record.commit],
  ];
  return fields.flatMap(([name, value]) =>
    value === null ? [] : [`${paint("dim", name.padEnd(10))} ${safeLine(value)}`],
  );
}

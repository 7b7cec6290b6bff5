import type { KbError } from "@keybuzz/runner";
import type { Drift, VerifiedHost, VerifyReport } from "../services/verify.ts";
import { summariseChanges } from "./change-lines.ts";
import { renderDuration } from "./recap.ts";
import { safeLine } from "./safe-text.ts";
import type { Paint, Tone } from "./style.ts";

const TONES: Readonly<Record<VerifiedHost["status"], Tone>> = {
  "in-sync": "good",
  drift: "change",
  failed: "bad",
  unreachable: "bad",
};

/** One line a host that is not as declared, and none where all are: cron mails what is printed. */
export function verifyLines(report: VerifyReport, paint: Paint, verbose: boolean): readonly string[] {
  const lines = report.hosts.flatMap((host) =>
    host.status === "in-sync" ? [] : [line(paint, host.status, TONES[host.status], host.host, describe(host))],
  );
  const stopped = report.error && line(paint, "stopped", "bad", report.playbook, describeError(report.error));
  return [...lines, ...(stopped === undefined ? [] : [stopped]), ...(verbose ? [summary(report)] : [])];
}

function line(paint: Paint, word: string, tone: Tone, name: string, text: string): string {
  return `${paint(tone, word.padEnd(11))}  ${paint("strong", safeLine(name))}  ${text}`;
}

function describe({ drift, error, status }: VerifiedHost): string {
  const found = drift.map(describeDrift).join("; ");
  const count = drift.length === 0 ? "" : `${drift.length} ${drift.length === 1 ? "task" : "tasks"}: ${found}`;
  const why = error === undefined ? (status === "failed" ? "failed" : "") : describeError(error);
  return [why, count].filter((part) => part !== "").join("; ");
}

function describeDrift({ task, outcome, reason, changes }: Drift): string {
  if (outcome === "unknown") return `${safeLine(task)} (cannot be known: ${safeLine(reason ?? "")})`;
  return `${safeLine(task)} (${summariseChanges(changes)})`;
}

function describeError({ place, message }: KbError): string {
  return safeLine(place.task === undefined ? message : `${place.task}: ${message}`);
}

function summary({ hosts, ms, playbook }: VerifyReport): string {
  const count = (status: VerifiedHost["status"]): number => hosts.filter((host) => host.status === status).length;
  const tasks = hosts.reduce((sum, { ok, drift }) => sum + ok + drift.length, 0);
  const words = (["in-sync", "drift", "failed", "unreachable"] as const)
    .filter((status) => count(status) > 0)
    .map((status) => `${count(status)} ${status === "in-sync" ? "as declared" : status}`);
  const on = `${tasks} tasks on ${hosts.length} ${hosts.length === 1 ? "host" : "hosts"}`;
  return `${safeLine(playbook)}: ${on} in ${renderDuration(ms)}: ${words.join(", ")}`;
}

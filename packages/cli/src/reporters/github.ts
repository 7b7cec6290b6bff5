import { randomUUID } from "node:crypto";
import type { KbError, RunEvent } from "@keybuzz/runner";
import { splitWhere } from "./junit.ts";
import { makeReport } from "./quiet.ts";
import type { Output, Reporter } from "./reporter.ts";
import { safeText } from "./safe-text.ts";
import type { TextOptions } from "./text-report.ts";

/**
 * Plain lines for a log of GitHub Actions, with a group a phase and an annotation a failure at the line that declared
 * the task.
 *
 * What hosts say could pass for a command of the runner's: commands are switched off for all lines but our own.
 * @see https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
 */
export function githubReporter(
  output: Output,
  options: TextOptions,
  quiet: boolean,
  token: string = randomUUID(),
): Reporter {
  const report = makeReport(options, quiet);
  let grouped = false;
  const command = (...lines: readonly string[]): void => {
    output.write(`::${token}::\n${lines.map((line) => `${line}\n`).join("")}::stop-commands::${token}\n`);
  };
  const endGroup = (): void => {
    if (grouped) command("::endgroup::");
    grouped = false;
  };
  output.write(`::stop-commands::${token}\n`);
  const emit = (event: RunEvent): void => {
    if (event.type === "phase") {
      endGroup();
      command(`::group::${escapeData(safeText(event.name))}`);
      grouped = true;
      return;
    }
    if (event.type === "run-failed" || event.type === "run-end") endGroup();
    for (const line of report.next(event)) output.write(`${line}\n`);
    if (event.type === "host-failed" || event.type === "host-unreachable" || event.type === "run-failed") {
      command(annotation(event.error, "host" in event ? event.host : undefined));
    }
  };
  return {
    emit,
    suspend: () => () => {},
    close: () => {
      endGroup();
      output.write(`::${token}::\n`);
    },
  };
}

function annotation({ place, message, detail, hint }: KbError, host: string | undefined): string {
  const [file, line] = place.where === undefined ? [] : splitWhere(place.where);
  const title = [place.host ?? host, place.task].filter((part) => part !== undefined).join("  ");
  const properties = Object.entries({ file, line, title: title === "" ? undefined : title }).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${escapeProperty(safeText(value))}`],
  );
  const text = [message, detail, hint === undefined ? undefined : `try: ${hint}`].filter((part) => part !== undefined);
  const head = properties.length === 0 ? "::error" : `::error ${properties.join(",")}`;
  return `${head}::${escapeData(safeText(text.join("\n")))}`;
}

/** As the runner's own toolkit escapes a command's message. */
function escapeData(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}

import type { SavedPlan } from "@keybuzz/runner/durable";
import { safeLine } from "./safe-text.ts";
import type { Paint } from "./style.ts";
import { TextReport } from "./text-report.ts";

/** A saved plan, as `kb plan` printed it when it was made. */
export function planLines(plan: SavedPlan, paint: Paint, verbose: boolean): readonly string[] {
  const report = new TextReport({ paint, verbose, diff: true });
  const params = Object.entries(plan.params).map(([name, value]) => `${name}=${value}`);
  const secrets = plan.secretParams.map((name) => `${name}=<secret>`);
  const fields: readonly (readonly [string, string | null])[] = [
    ["plan", `made ${plan.madeAt} by kb ${plan.kbVersion}`],
    ["playbook", plan.playbook.file],
    ["inventory", plan.inventory.file],
    ["limit", plan.limit?.join(", ") ?? null],
    ["params", [...params, ...secrets].join(" ") || null],
    ["commit", plan.commit],
  ];
  const head = fields.flatMap(([name, value]) =>
    value === null ? [] : [`${paint("dim", name.padEnd(10))} ${safeLine(value)}`],
  );
  return [...head, "", ...plan.events.flatMap((event) => report.next(event))];
}

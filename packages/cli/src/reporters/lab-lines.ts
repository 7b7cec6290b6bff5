import type { LabStatus } from "@keybuzz/lab";
import type { Paint } from "./style.ts";
import { renderTable } from "./table.ts";

const STATE_TONES = { reachable: "good", running: "change", stopped: "bad" } as const;

/** A lab: its network, its hosts, what runs beside them. */
export function labLines(status: LabStatus, paint: Paint): string[] {
  const hosts = status.hosts.map(({ name, address, state }) => [
    { text: name, tone: "strong" as const },
    { text: address },
    { text: state, tone: STATE_TONES[state] },
  ]);
  const services = status.services.map(({ name, running }) => paint(running ? "good" : "bad", name)).join(", ");
  return [
    `lab ${paint("strong", status.name)}: controller at ${status.gateway}/${status.prefix}, beside it ${services}`,
    ...renderTable(["host", "address", "state"], hosts, paint).map((line) => `  ${line}`),
  ];
}

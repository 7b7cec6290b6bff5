import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { endCgroup, isPopulated, labCgroup, makeCgroup, serviceCgroup } from "./cgroup.ts";
import { startDetached } from "./command.ts";
import { LabError } from "./errors.ts";
import { labPaths } from "./lab-dir.ts";
import { controllerNamespace, switchNamespace } from "./names.ts";
import { inNamespace } from "./network/namespaces.ts";

/** A program that a lab runs beside its hosts. */
export interface Service {
  /** Lower-case letters and hyphens; names its control group and its log. */
  readonly name: string;
  readonly argv: readonly string[];
  /** Whose network it sees: the controller's among the hosts, the switch's (loopback only), or the machine's. */
  readonly where: "controller" | "switch" | "machine";
}

/** Start a service unless it runs. It goes on after this process has ended, and ends with the lab. */
export async function startService(lab: string, service: Service): Promise<void> {
  const cgroupDir = serviceCgroup(lab, service.name);
  if (isPopulated(cgroupDir)) return;
  await endCgroup(cgroupDir);
  makeCgroup(cgroupDir);
  mkdirSync(labPaths(lab).logs, { recursive: true });
  await startDetached(placed(lab, service), { cgroupDir, logFile: serviceLog(lab, service.name) });
}

function placed(lab: string, { where, argv }: Service): readonly string[] {
  switch (where) {
    case "controller":
      return inNamespace(controllerNamespace(lab), argv);
    case "switch":
      return inNamespace(switchNamespace(lab), argv);
    case "machine":
      return argv;
  }
}

/** End a service, if it runs. */
export async function stopService(lab: string, name: string): Promise<void> {
  await endCgroup(serviceCgroup(lab, name));
}

/** What a lab runs or ran beside its hosts. */
export function servicesOf(lab: string): readonly { readonly name: string; readonly running: boolean }[] {
  const groups = existsSync(labCgroup(lab)) ? readdirSync(labCgroup(lab)) : [];
  const names = groups.flatMap((group) => /^service-(.*)$/.exec(group)?.[1] ?? []).toSorted();
  return names.map((name) => ({ name, running: isPopulated(serviceCgroup(lab, name)) }));
}

/** Where a service's output goes. */
export function serviceLog(lab: string, name: string): string {
  return join(labPaths(lab).logs, `${name}.log`);
}

const SOCKET_TIMEOUT_MS = 10_000;

/** Start what answers the hosts' package managers: the cache on the machine, and its way in at GATEWAY:80. */
export async function startMirror(lab: string, gateway: string): Promise<void> {
  const { mirrorSocket } = labPaths(lab);
  if (!isPopulated(serviceCgroup(lab, "mirror"))) rmSync(mirrorSocket, { force: true });
  const script = fileURLToPath(new URL(`./apt/mirror-main${import.meta.url.slice(-3)}`, import.meta.url));
  await startService(lab, { name: "mirror", where: "machine", argv: [process.execPath, script, mirrorSocket] });
  // Unix sockets cross network namespaces; nothing else of the machine's network is in reach of the lab.
  const listen = `TCP4-LISTEN:80,bind=${gateway},fork,reuseaddr`;
  await startService(lab, {
    name: "mirror-port",
    where: "controller",
    argv: ["socat", listen, `UNIX-CONNECT:${mirrorSocket}`],
  });
  const deadline = Date.now() + SOCKET_TIMEOUT_MS;
  while (!existsSync(mirrorSocket)) {
    if (Date.now() > deadline) {
      const log = readFileSync(serviceLog(lab, "mirror"), "utf8").slice(-1000);
      throw new LabError(`the package mirror did not start within ${SOCKET_TIMEOUT_MS} ms:\n${log}`);
    }
    await sleep(25);
  }
}

import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { isPopulated, serviceCgroup } from "../cgroup.ts";
import { attempt } from "../command.ts";
import { LabError } from "../errors.ts";
import { labPaths } from "../lab-dir.ts";
import { withLock } from "../lock.ts";
import { type EndPorts, switchNamespace } from "../names.ts";
import { CONTROLLER, type LinkEnd, portsOf } from "../network/ends.ts";
import { BRIDGE, hasInterface, ip } from "../network/namespaces.ts";
import { requireRecord } from "../record.ts";
import { startService, stopService } from "../services.ts";
import { type LinkQuality, RELAY_PORTS, type RelayOptions } from "./relay.ts";

/**
 * Hold the controller, or another end, at a distance from all the others, from now on; connections that stand go on.
 * A round trip of 0 without loss takes the distance away, and everything is as fast as it goes again.
 *
 * The kernel's netem does it where the kernel has it; else the frames pass a relay in user space, which adds some
 * tenths of a millisecond and carries about 15 MB/s.
 */
export async function setDistance(lab: string, quality: LinkQuality, end: LinkEnd = CONTROLLER): Promise<void> {
  checkQuality(quality);
  const ports = portsOf(lab, end);
  await withLock(lab, async () => {
    const { rttMs, dropPercent = 0, cut = false } = quality;
    if (rttMs === 0 && dropPercent === 0 && !cut) return removeDistance(lab, ports);
    if (await tellRelay(lab, ports, quality)) return;
    await removeDistance(lab, ports);
    if (await netem(lab, ports, quality)) return;
    await insertRelay(lab, ports, quality);
  });
}

/** The distance at which an end is held now. */
export async function distanceOf(lab: string, end: LinkEnd = CONTROLLER): Promise<LinkQuality> {
  const ports = portsOf(lab, end);
  const record = netemRecord(lab, ports);
  if (existsSync(record)) return JSON.parse(readFileSync(record, "utf8")) as LinkQuality;
  return (await askRelay(lab, ports, "")) ?? { rttMs: 0 };
}

/** Join every end straight to the switch again whose distance lost a part of itself. */
export async function mendDistances(lab: string): Promise<void> {
  for (const end of [CONTROLLER, ...requireRecord(lab).spec.hosts.map(({ name }) => name)]) {
    const ports = portsOf(lab, end);
    if (!(await hasInterface(lab, ports.bridge)) || existsSync(netemRecord(lab, ports))) continue;
    if (!relayRuns(lab, ports)) await removeDistance(lab, ports);
  }
}

function checkQuality({ rttMs, dropPercent = 0 }: LinkQuality): void {
  if (!(rttMs >= 0 && rttMs <= 10_000)) {
    throw new LabError(`a round trip of ${rttMs} ms: give 0 to 10,000`, { exitCode: 2 });
  }
  if (!(dropPercent >= 0 && dropPercent <= 100)) {
    throw new LabError(`a loss of ${dropPercent} %: give 0 to 100`, { exitCode: 2 });
  }
}

/** Join the end straight to the switch, and remove all that stood between. */
async function removeDistance(lab: string, ports: EndPorts): Promise<void> {
  // A host that does not run has no port.
  if (await hasInterface(lab, ports.port)) await ip(switchNamespace(lab), `link set ${ports.port} master ${BRIDGE}`);
  for (const side of ["near", "far", "relay"]) await stopService(lab, serviceName(side, ports));
  for (const name of [ports.near, ports.far, ports.bridge]) {
    // TAP devices have gone with their programs; the rest, or nothing, is left.
    await attempt(["ip", "-n", switchNamespace(lab), "link", "delete", name]);
  }
  rmSync(netemRecord(lab, ports), { force: true });
  rmSync(controlSocket(lab, ports), { force: true });
}

function serviceName(part: string, ports: EndPorts): string {
  return `distance-${ports.port}-${part}`;
}

/** Put the end behind `far`, and let `near` stand in for it at the switch. */
async function standBetween(lab: string, { port, near, far, bridge }: EndPorts): Promise<void> {
  await ip(
    switchNamespace(lab),
    `link add ${bridge} type bridge`,
    `link set ${bridge} up`,
    `link set ${far} master ${bridge} up`,
    `link set ${near} master ${BRIDGE} up`,
    `link set ${port} master ${bridge}`,
  );
}

/** A pair of interfaces, each of which the kernel delays; false when it cannot. */
async function netem(lab: string, ports: EndPorts, quality: LinkQuality): Promise<boolean> {
  const namespace = switchNamespace(lab);
  const { rttMs, dropPercent = 0, cut = false } = quality;
  await ip(namespace, `link add ${ports.near} type veth peer name ${ports.far}`);
  for (const name of [ports.near, ports.far]) {
    const loss = cut ? 100 : dropPercent;
    // The default queue of 1000 frames would lose some at 50 ms and full speed.
    const discipline = ["netem", "delay", `${rttMs / 2}ms`, "loss", `${loss}%`, "limit", "100000"];
    const added = await attempt(["tc", "-n", namespace, "qdisc", "replace", "dev", name, "root", ...discipline]);
    if (added.code !== 0) {
      await ip(namespace, `link delete ${ports.near}`);
      return false;
    }
  }
  await standBetween(lab, ports);
  writeFileSync(netemRecord(lab, ports), JSON.stringify(quality));
  return true;
}

function netemRecord(lab: string, ports: EndPorts): string {
  return join(labPaths(lab).dir, `distance-${ports.port}.json`);
}

const START_TIMEOUT_MS = 10_000;

async function insertRelay(lab: string, ports: EndPorts, quality: LinkQuality): Promise<void> {
  const address = relayAddress(lab, ports);
  const options: RelayOptions = { address, control: controlSocket(lab, ports), quality };
  const script = fileURLToPath(new URL(`./relay-main${import.meta.url.slice(-3)}`, import.meta.url));
  const start = (part: string, argv: readonly string[]) =>
    startService(lab, { name: serviceName(part, ports), where: "switch", argv });
  await start("relay", [process.execPath, script, JSON.stringify(options)]);
  // The programs at the TAP devices give up when nobody listens: the relay comes first.
  await until(lab, ports, "relay", () => existsSync(options.control));
  for (const side of ["near", "far"] as const) {
    const relayPort = side === "near" ? RELAY_PORTS.towardsNear : RELAY_PORTS.towardsFar;
    await start(side, [
      "socat",
      `TUN,tun-name=${ports[side]},tun-type=tap,iff-no-pi`,
      `UDP4:${address}:${relayPort},bind=${address}:${RELAY_PORTS[side]},rcvbuf=4194304,sndbuf=4194304`,
    ]);
    await until(lab, ports, side, () => hasInterface(lab, ports[side]));
  }
  await standBetween(lab, ports);
}

async function until(lab: string, ports: EndPorts, part: string, isThere: () => boolean | Promise<boolean>) {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!(await isThere())) {
    if (Date.now() > deadline) {
      const log = readFileSync(join(labPaths(lab).logs, `${serviceName(part, ports)}.log`), "utf8").slice(-1000);
      throw new LabError(`the ${part} side of a distance did not start within ${START_TIMEOUT_MS} ms:\n${log}`);
    }
    await sleep(20);
  }
}

/** A loopback address of the switch's namespace that no other link of the lab uses. */
function relayAddress(lab: string, ports: EndPorts): string {
  const { spec } = requireRecord(lab);
  const links = ["controller", ...spec.hosts.map(({ name }) => portsOf(lab, name).port)];
  const index = links.indexOf(ports.port) + 1;
  return `127.0.${Math.floor(index / 250)}.${(index % 250) + 1}`;
}

function controlSocket(lab: string, ports: EndPorts): string {
  return join(labPaths(lab).dir, `distance-${ports.port}.sock`);
}

function relayRuns(lab: string, ports: EndPorts): boolean {
  return ["near", "far", "relay"].every((part) => isPopulated(serviceCgroup(lab, serviceName(part, ports))));
}

async function tellRelay(lab: string, ports: EndPorts, quality: LinkQuality): Promise<boolean> {
  return relayRuns(lab, ports) && (await askRelay(lab, ports, JSON.stringify(quality))) !== undefined;
}

const ANSWER_TIMEOUT_MS = 2000;

function askRelay(lab: string, ports: EndPorts, line: string): Promise<LinkQuality | undefined> {
  const socket = connect(controlSocket(lab, ports));
  return new Promise((resolve) => {
    let answer = "";
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => socket.destroy());
    socket.on("connect", () => socket.write(`${line}\n`));
    socket.on("data", (chunk) => {
      answer += chunk.toString();
    });
    socket.on("error", () => resolve(undefined));
    socket.on("close", () => resolve(answer === "" ? undefined : (JSON.parse(answer) as LinkQuality)));
  });
}

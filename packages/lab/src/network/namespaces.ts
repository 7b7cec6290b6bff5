import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Subnet } from "../addresses.ts";
import { attempt, command } from "../command.ts";
import {
  CONTROLLER_PORT,
  controllerNamespace,
  endPorts,
  hardwareAddress,
  hostNamespace,
  isNamespaceOf,
  portName,
  switchNamespace,
} from "../names.ts";

const NETNS_DIR = "/run/netns";
/** The bridge in the switch's namespace. */
export const BRIDGE = "br0";

/** The file by which a network namespace is entered. */
export function namespacePath(namespace: string): string {
  return join(NETNS_DIR, namespace);
}

/** Run `ip` commands, one a line, inside a network namespace, and stop at the first that fails. */
export async function ip(namespace: string, ...lines: readonly string[]): Promise<void> {
  await command(["ip", "-n", namespace, "-batch", "-"], { input: `${lines.join("\n")}\n` });
}

/** The argument array that runs `argv` in a network namespace. */
export function inNamespace(namespace: string, argv: readonly string[]): readonly string[] {
  return ["nsenter", `--net=${namespacePath(namespace)}`, "--", ...argv];
}

/** Do the controller and the switch stand, joined, and does the controller hold its address? */
export async function networkStands(lab: string, subnet: Subnet): Promise<boolean> {
  const controller = controllerNamespace(lab);
  if (!existsSync(namespacePath(controller)) || !existsSync(namespacePath(switchNamespace(lab)))) return false;
  const addresses = await command(["ip", "-n", controller, "-4", "-oneline", "address", "show", "up"], {
    okCodes: [1],
  });
  const port = await command(["ip", "-n", switchNamespace(lab), "link", "show", "master", BRIDGE], { okCodes: [1] });
  return (
    addresses.stdout.includes(` ${subnet.gateway}/${subnet.prefix} `) && port.stdout.includes(` ${CONTROLLER_PORT}`)
  );
}

/** Has the switch an interface of this name? */
export async function hasInterface(lab: string, name: string): Promise<boolean> {
  return (await attempt(["ip", "-n", switchNamespace(lab), "link", "show", name])).code === 0;
}

/**
 * Make the controller's namespace and the switch's, and join them. Nothing joins either to the machine's network:
 * there is no route out.
 */
export async function makeNetwork(lab: string, subnet: Subnet): Promise<void> {
  const controller = controllerNamespace(lab);
  const bridge = switchNamespace(lab);
  await command(["ip", "netns", "add", bridge]);
  await command(["ip", "netns", "add", controller]);
  await ip(
    bridge,
    "link set lo up",
    `link add ${BRIDGE} type bridge`,
    `link set ${BRIDGE} up`,
    `link add ${CONTROLLER_PORT} type veth peer name eth0 netns ${controller}`,
    `link set ${CONTROLLER_PORT} master ${BRIDGE} up`,
  );
  await ip(
    controller,
    "link set lo up",
    `address add ${subnet.gateway}/${subnet.prefix} broadcast + dev eth0`,
    "link set eth0 up",
  );
}

/** Make a host's namespace anew, with one interface, `eth0`, that leads to the switch. */
export async function plugHost(lab: string, host: { name: string; address: string }, subnet: Subnet): Promise<void> {
  const namespace = hostNamespace(lab, host.name);
  const port = portName(host.address);
  await unplugHost(lab, host);
  await command(["ip", "netns", "add", namespace]);
  const { bridge } = endPorts(port);
  // A host that is held at a distance stays there when it boots again.
  const joined = (await hasInterface(lab, bridge)) ? bridge : BRIDGE;
  await ip(
    switchNamespace(lab),
    `link add ${port} type veth peer name eth0 address ${hardwareAddress(host.address)} netns ${namespace}`,
    `link set ${port} master ${joined} up`,
  );
  await ip(
    namespace,
    "link set lo up",
    `address add ${host.address}/${subnet.prefix} broadcast + dev eth0`,
    "link set eth0 up",
  );
}

/** Remove a host's namespace and its port, where they exist. */
export async function unplugHost(lab: string, host: { name: string; address: string }): Promise<void> {
  // The kernel removes a namespace's interfaces some time after its name: take the port away now.
  await attempt(["ip", "-n", switchNamespace(lab), "link", "delete", portName(host.address)]);
  const namespace = hostNamespace(lab, host.name);
  if (existsSync(namespacePath(namespace))) await command(["ip", "netns", "delete", namespace]);
}

/** All network namespaces of the machine that have a name. */
export function allNamespaces(): readonly string[] {
  return existsSync(NETNS_DIR) ? readdirSync(NETNS_DIR) : [];
}

/** Those of a lab. */
export function namespacesOf(lab: string): readonly string[] {
  return allNamespaces().filter((name) => isNamespaceOf(lab, name));
}

/** Remove all network namespaces of a lab. */
export async function removeNetwork(lab: string): Promise<void> {
  for (const namespace of namespacesOf(lab)) await command(["ip", "netns", "delete", namespace]);
}

/** Network namespace in which `kb` runs and the lab's services listen. */
export function controllerNamespace(lab: string): string {
  return `kblab-${lab}`;
}

/** Network namespace of the bridge that joins controller and hosts. Two hyphens: no host's name begins with one. */
export function switchNamespace(lab: string): string {
  return `kblab-${lab}--switch`;
}

/** Network namespace of a host, and the name by which systemd-nspawn knows its machine. */
export function hostNamespace(lab: string, host: string): string {
  return `kblab-${lab}-${host}`;
}

/** Does this network namespace belong to the lab? Lab names hold no hyphen, so no other lab's name fits. */
export function isNamespaceOf(lab: string, namespace: string): boolean {
  return namespace === controllerNamespace(lab) || namespace.startsWith(`${controllerNamespace(lab)}-`);
}

/**
 * Interface on the bridge that leads to an address: `h` and the address in hexadecimal, which is unique in the lab
 * and always fits the kernel's 15 characters, as a host's name does not.
 */
export function portName(address: string): string {
  const hexadecimal = address.split(".").map((octet) => Number(octet).toString(16).padStart(2, "0"));
  return `h${hexadecimal.join("")}`;
}

/**
 * The hardware address of the host at an address: locally administered, and the same after every boot, so that nobody
 * who knew the host before has to wait until his ARP entry has aged.
 */
export function hardwareAddress(address: string): string {
  const octets = address.split(".").map((octet) => Number(octet).toString(16).padStart(2, "0"));
  return ["02", "6b", ...octets].join(":");
}

/** The controller's port on the bridge. */
export const CONTROLLER_PORT = "controller";

/** The switch's interfaces that the frames of one end may pass, by their roles. */
export interface EndPorts {
  /** Leads straight to the end. */
  readonly port: string;
  /** Joined to the switch in place of `port` while the end is held at a distance. */
  readonly near: string;
  /** The other side of the distance, joined to `port`. */
  readonly far: string;
  /** Joins `far` and `port`. */
  readonly bridge: string;
}

/** The interfaces of the end behind a port. */
export function endPorts(port: string): EndPorts {
  const end = port === CONTROLLER_PORT ? port : port.slice(1);
  return { port, near: `n${end}`, far: `f${end}`, bridge: `b${end}` };
}

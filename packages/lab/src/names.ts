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

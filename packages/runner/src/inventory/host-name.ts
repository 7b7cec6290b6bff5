import { InventoryError } from "../errors.ts";
import { renderSource, type Source } from "./inventory.ts";
import { expandRange } from "./range.ts";

/** The hosts that one entry of an inventory stands for. */
export interface HostEntry {
  readonly names: readonly string[];
  /** From `name:2222`, which stands for `ansible_port`. */
  readonly port: number | undefined;
}

/**
 * Reads a host's entry: a name, an address, ranges (`web[01:20]`), each with a port after a colon; IPv6 addresses have
 * it after brackets (`[2001:db8::1]:2222`).
 * @throws InventoryError with file, line and column
 * @see https://docs.ansible.com/ansible/latest/inventory_guide/intro_inventory.html#adding-ranges-of-hosts
 */
export function parseHostEntry(entry: string, source: Source): HostEntry {
  const [pattern, port] = splitPort(entry);
  const isOpen = /[[\]]/.test(pattern.replaceAll(/\[[^[\]]*\]/g, ""));
  if (isOpen || /[\s,]|\p{Cc}/u.test(pattern) || pattern === "" || pattern === "---" || pattern.endsWith(":")) {
    throw new InventoryError(`${renderSource(source)}: ${JSON.stringify(entry)} is no host name`, {
      hint: "a name, an address, or a range like web[01:20]; a port follows a colon",
    });
  }
  if (port !== undefined && (port < 1 || port > 65535)) {
    throw new InventoryError(`${renderSource(source)}: ${entry}: ${port} is no port`, { hint: "from 1 to 65535" });
  }
  return { names: expandRange(pattern, source), port };
}

function splitPort(entry: string): readonly [pattern: string, port: number | undefined] {
  const match = /^\[(.+)\]:(\d+)$/.exec(entry) ?? /^((?:[^:[\]]|\[[^\]]*\])*):(\d+)$/.exec(entry);
  const [, name = entry, port] = match ?? [];
  return [name, port === undefined ? undefined : Number(port)];
}

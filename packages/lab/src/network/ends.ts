import { CONTROLLER_PORT, type EndPorts, endPorts, portName } from "../names.ts";
import { requireHost } from "../record.ts";

/** The controller, as an end of a link. No host can have this name. */
export const CONTROLLER = "@controller";

/** An end of a link to the switch: a host, by its name, or {@link CONTROLLER}. */
export type LinkEnd = string;

/** The interfaces of an end. @throws {LabError} when the lab has no such host. */
export function portsOf(lab: string, end: LinkEnd): EndPorts {
  return endPorts(end === CONTROLLER ? CONTROLLER_PORT : portName(requireHost(lab, end).host.address));
}

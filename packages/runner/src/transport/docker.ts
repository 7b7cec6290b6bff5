import { ConnectError } from "../errors.ts";
import { quoteShell } from "../sh.ts";
import type { Connect, Connection, Target } from "./transport.ts";

/**
 * A container as a host of its own: commands run by `docker exec` on the host that it runs on, over that host's connection.
 * Containers whose host is in the run, too, share its connection.
 * @see https://docs.docker.com/reference/cli/docker/container/exec/
 */
export async function connectDocker(target: Target, connect: Connect): Promise<Connection> {
  const { through, address } = target;
  if (through === undefined)
    throw new ConnectError(`nobody says where the container ${address} runs`, { host: target.name });
  let host: Connection;
  try {
    host = await connect(through);
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    const { message, detail, hint } = error;
    throw new ConnectError(`cannot reach the container's host ${through.name}: ${message}`, {
      host: target.name,
      detail,
      hint,
      cause: error,
    });
  }
  const user = target.user ?? "root";
  // The password of a user who becomes root with one would have to go before the container's input.
  const sudo = host.user !== "root" && through.become !== false ? "sudo -n " : "";
  const run = `${sudo}docker exec -i -u ${quoteShell(user)} -- ${quoteShell(address)} sh -c `;
  return {
    user,
    start: (command) => host.start(`exec ${run}${quoteShell(command)}`),
    close: () => host.close(),
  };
}

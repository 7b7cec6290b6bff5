import { readFileSync } from "node:fs";
import { exec } from "@keybuzz/lab";

/** A second sshd on a lab's host, on a port of its own, with a configuration of its own. */
export interface ExtraSshd {
  readonly host: string;
  readonly port: number;
  /** What it has logged so far. */
  log(): Promise<string>;
  stop(): Promise<void>;
}

/**
 * Starts one, with the host's key and these lines of sshd_config; it is up when this resolves.
 * @throws Error where it does not start
 */
export async function startSshd(
  lab: string,
  host: string,
  port: number,
  lines: readonly string[] = [],
): Promise<ExtraSshd> {
  const [config, log, pid] = ["conf", "log", "pid"].map((ending) => `/run/kb-sshd-${port}.${ending}`);
  const own = lines.some((line) => line.startsWith("HostKey ")) ? [] : ["HostKey /etc/ssh/ssh_host_ed25519_key"];
  const text = [`Port ${port}`, `PidFile ${pid}`, "UsePAM yes", "LogLevel VERBOSE", ...own, ...lines, ""].join("\n");
  const started = await exec(
    lab,
    host,
    ["sh", "-c", `cat >${config} && : >${log} && exec /usr/sbin/sshd -f ${config} -E ${log}`],
    { input: text },
  );
  if (started.code !== 0) throw new Error(`sshd on port ${port} of ${host}: ${started.stderr}`);
  return {
    host,
    port,
    log: async () => (await exec(lab, host, ["cat", String(log)])).stdout,
    stop: async () => {
      await exec(lab, host, ["sh", "-c", `kill "$(cat ${pid})"; rm -f ${config}`]);
    },
  };
}

/** How often a text occurs in a log. */
export function count(log: string, what: RegExp): number {
  return log.match(new RegExp(what, "g"))?.length ?? 0;
}

/** A known_hosts file's text. */
export function readLines(file: string): readonly string[] {
  return readFileSync(file, "utf8").split("\n").filter(Boolean);
}

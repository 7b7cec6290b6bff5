import { spawn } from "node:child_process";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readConfigFile } from "./config-file.ts";
import { openLog } from "./log.ts";
import { type Options, parseOptions } from "./options.ts";
import { Server, STAND_IN_NOTICE } from "./server.ts";
import { DEFAULTS } from "./variables.ts";

const DEFAULT_DATADIR = "/var/lib/proxysql";
/** Set for the process that runs in the background: it reports readiness over its IPC channel. */
const BACKGROUND = "KB_LAB_PROXYSQL_BACKGROUND";

function textSetting(options: Options, name: string): string | null {
  if (!existsSync(options.configPath)) return null;
  const value = readConfigFile(options.configPath)[name];
  return typeof value === "string" ? value : null;
}

/** Starts the same command again in the background and ends once that is ready, as a forking unit expects. */
function daemonise(): void {
  const [node = process.execPath, ...args] = process.argv;
  const child = spawn(node, [...process.execArgv, ...args], {
    detached: true,
    stdio: ["ignore", "ignore", "ignore", "ipc"],
    env: { ...process.env, [BACKGROUND]: "1" },
  });
  child.once("message", () => process.exit(0));
  child.once("exit", (code) => process.exit(code ?? 1));
}

async function run(options: Options): Promise<void> {
  const isBackground = process.env[BACKGROUND] !== undefined;
  const datadir = options.datadir ?? textSetting(options, "datadir") ?? DEFAULT_DATADIR;
  const errorLog = textSetting(options, "errorlog") ?? join(datadir, "proxysql.log");
  const pidFile = textSetting(options, "pidfile") ?? join(datadir, "proxysql.pid");
  const log = openLog(isBackground ? errorLog : null);
  const onShutdown = (): void => {
    rmSync(pidFile, { force: true });
    process.exit(0);
  };
  let server: Server;
  const start = async (isRestart: boolean): Promise<void> => {
    const firstTime = isRestart ? { isInitial: false, isReload: false } : {};
    const onRestart = (): void => void start(true);
    server = await Server.start({ ...options, ...firstTime, datadir, log, onShutdown, onRestart });
  };
  await start(false);
  writeFileSync(pidFile, `${process.pid}\n`);
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => server.shutdown());
  process.on("SIGHUP", () => log("INFO", "Received SIGHUP: logs are reopened with every line"));
  if (isBackground) process.send?.("ready", () => process.disconnect());
}

// The disk database holds passwords.
process.umask(0o077);
const options = parseOptions(process.argv.slice(2));
if (options.isVersion) {
  process.stdout.write(`ProxySQL version ${DEFAULTS.get("admin-version")}, codename Truls (${STAND_IN_NOTICE})\n`);
} else if (options.isForeground || process.env[BACKGROUND] !== undefined) {
  await run(options);
} else {
  daemonise();
}

import type { Runtime } from "./runtime.ts";
import { adminError } from "./sqlite-reply.ts";
import { ok, type Reply } from "./wire/replies.ts";

/** What the admin port does in answer to a statement: reply, stay silent for ever, or drop the connection. */
export type Outcome = Reply | { readonly kind: "silence" } | { readonly kind: "drop" };

/** The life of the server as its operators steer it. */
export interface Process {
  /** State of the client ports. */
  readonly listening: "open" | "paused" | "stopped";
  pause(): void;
  resume(): void;
  stop(): void;
  start(): void;
  /** Ends the process with code 0. */
  shutdown(): void;
  /** Starts all over within the same process. */
  restart(): void;
}

type Handler = (process: Process, runtime: Runtime) => Outcome;

function pause(process: Process): Outcome {
  if (process.listening !== "open") return adminError("ProxySQL MySQL module is already paused, impossible to pause");
  process.pause();
  return ok();
}

function resume(process: Process): Outcome {
  if (process.listening !== "paused") return adminError("ProxySQL MySQL module is not paused, impossible to resume");
  process.resume();
  return ok();
}

/** A second STOP never answers, on that connection only. */
function stop(process: Process): Outcome {
  if (process.listening === "stopped") return { kind: "silence" };
  process.stop();
  return ok();
}

function start(process: Process): Outcome {
  if (process.listening !== "stopped") return adminError("ProxySQL already started");
  process.start();
  return ok();
}

function ending(act: (process: Process) => void): Handler {
  return (process) => {
    act(process);
    return { kind: "drop" };
  };
}

function readOnly(isReadOnly: boolean): Handler {
  return (_process, runtime) => {
    runtime.databases.admin.exec(`PRAGMA query_only = ${isReadOnly ? 1 : 0}`);
    return ok();
  };
}

const COMMANDS: Readonly<Record<string, Handler>> = {
  "PROXYSQL PAUSE": pause,
  "PROXYSQL RESUME": resume,
  "PROXYSQL STOP": stop,
  "PROXYSQL START": start,
  "PROXYSQL SHUTDOWN": ending((process) => process.shutdown()),
  "PROXYSQL SHUTDOWN SLOW": ending((process) => process.shutdown()),
  "PROXYSQL KILL": ending((process) => process.shutdown()),
  "PROXYSQL RESTART": ending((process) => process.restart()),
  "PROXYSQL READONLY": readOnly(true),
  "PROXYSQL READWRITE": readOnly(false),
  "PROXYSQL FLUSH LOGS": () => ok(),
  "PROXYSQL FLUSH QUERY CACHE": () => ok(),
  "PROXYSQL FLUSH MYSQL CLIENT HOSTS": () => ok(),
  "PROXYSQL FLUSH CONFIGDB": () => ok(),
};

function killConnection(runtime: Runtime, id: string): Outcome {
  const session = runtime.statistics.sessions.get(Number(id));
  if (session === undefined) return adminError(`Unknown thread id: ${id}`);
  session.kill();
  return ok();
}

/**
 * Carries out PROXYSQL ... and KILL CONNECTION.
 *
 * @param command the normalised statement.
 * @returns null if the statement is no such command.
 */
export function operatorCommand(process: Process, runtime: Runtime, command: string): Outcome | null {
  const handler = COMMANDS[command.toUpperCase()];
  if (handler !== undefined) return handler(process, runtime);
  const kill = /^KILL CONNECTION (\d+)$/i.exec(command);
  return kill?.[1] === undefined ? null : killConnection(runtime, kill[1]);
}

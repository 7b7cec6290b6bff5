import { appendFileSync } from "node:fs";

/** Levels of ProxySQL's own log. */
export type LogLevel = "INFO" | "WARNING" | "ERROR";
/** Writes one line to the log. */
export type Log = (level: LogLevel, message: string) => void;

/**
 * Makes the log: to a file if `path` is given, else to stderr, in the shape of ProxySQL's lines.
 */
export function openLog(path: string | null): Log {
  return (level, message) => {
    const time = new Date().toISOString().slice(0, 19).replace("T", " ");
    const line = `${time} [${level}] ${message}\n`;
    if (path === null) process.stderr.write(line);
    else appendFileSync(path, line, { mode: 0o600 });
  };
}

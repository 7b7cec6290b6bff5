import { parseArgs } from "node:util";

/** Command line of `proxysql`. */
export interface Options {
  readonly isForeground: boolean;
  readonly configPath: string;
  /** Overrides the configuration file's `datadir`. */
  readonly datadir: string | null;
  /** Start from the configuration file; the disk database is put aside. */
  readonly isInitial: boolean;
  /** Merge the configuration file over the disk database. */
  readonly isReload: boolean;
  readonly isVersion: boolean;
}

const DEFAULT_CONFIG = "/etc/proxysql.cnf";

/**
 * Parses the arguments; options of the real binary that mean nothing here are taken and ignored.
 *
 * @throws {TypeError} on an unknown option.
 * @see https://proxysql.com/documentation/proxysql-configuration-file/
 */
export function parseOptions(argv: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      foreground: { type: "boolean", short: "f", default: false },
      config: { type: "string", short: "c", default: DEFAULT_CONFIG },
      datadir: { type: "string", short: "D" },
      version: { type: "boolean", short: "V", default: false },
      initial: { type: "boolean", default: false },
      reload: { type: "boolean", default: false },
      "idle-threads": { type: "boolean", default: false },
      "exit-on-error": { type: "boolean", short: "e", default: false },
      "no-monitor": { type: "boolean", short: "M", default: false },
      "no-start": { type: "boolean", short: "n", default: false },
      reuseport: { type: "boolean", short: "r", default: false },
    },
  });
  return {
    isForeground: values.foreground,
    configPath: values.config,
    datadir: values.datadir ?? null,
    isInitial: values.initial,
    isReload: values.reload,
    isVersion: values.version,
  };
}

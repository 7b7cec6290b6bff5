import { randomInt } from "node:crypto";
import { parseEnv } from "node:util";
import { ParamsError, Secret } from "@keybuzz/runner";

/** The five keys that the company's scripts read, in their order, then ours. */
export const KEYS = [
  "MARIADB_ROOT_PASSWORD",
  "MARIADB_APP_USER",
  "MARIADB_APP_PASSWORD",
  "MARIADB_APP_DATABASE",
  "GALERA_CLUSTER_NAME",
  "MARIADB_VERIFY_PASSWORD",
  "MARIADB_SST_PASSWORD",
  "PROXYSQL_MONITOR_PASSWORD",
  "PROXYSQL_HEALTH_PASSWORD",
  "PROXYSQL_ADMIN_PASSWORD",
] as const;

/** The company's five. */
const HOST_KEYS = KEYS.slice(0, 5);

export type Key = (typeof KEYS)[number];
export type Values = Readonly<Record<Key, string>>;

/** What `-e rotate=` takes. */
export const ROTATIONS = ["root", "app", "monitor", "health", "admin", "sst", "verify", "all"] as const;
export type Rotation = (typeof ROTATIONS)[number];

const PASSWORDS: Readonly<Record<Exclude<Rotation, "all">, Key>> = {
  root: "MARIADB_ROOT_PASSWORD",
  app: "MARIADB_APP_PASSWORD",
  monitor: "PROXYSQL_MONITOR_PASSWORD",
  health: "PROXYSQL_HEALTH_PASSWORD",
  admin: "PROXYSQL_ADMIN_PASSWORD",
  sst: "MARIADB_SST_PASSWORD",
  verify: "MARIADB_VERIFY_PASSWORD",
};

const NAMES: Partial<Values> = {
  MARIADB_APP_USER: "erpnext",
  MARIADB_APP_DATABASE: "erpnext",
  GALERA_CLUSTER_NAME: "keybuzz-galera",
};

/** Length of a made password: 32 of 62 characters are 190 bits. */
const LENGTH = 32;
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** A password of letters and digits alone: it needs no quoting in any shell, URL or option file. */
export function makePassword(): string {
  return Array.from({ length: LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join("");
}

/** What one run works with. */
export interface Credentials {
  readonly rootPassword: Secret;
  readonly appUser: string;
  readonly appPassword: Secret;
  readonly appDatabase: string;
  readonly clusterName: string;
  readonly monitorPassword: Secret;
  readonly healthPassword: Secret;
  readonly adminPassword: Secret;
  readonly sstPassword: Secret;
  readonly verifyPassword: Secret;
  /** Content of `mariadb.env` on the hosts of the database: never the proxies' passwords. */
  readonly hostFile: Secret;
}

/** What is known after a look at the store and at a file of the company's scripts. */
export interface Merged {
  readonly values: Values;
  /** Keys that nobody had: they were made now. */
  readonly made: readonly Key[];
  /** Keys that the plain file has with another value than the store, which is right. */
  readonly differing: readonly Key[];
}

/**
 * The credentials to use: what the store has; else what a plain `mariadb.env` has, which is so taken over; else new ones.
 * `rotate` makes some passwords anew.
 * @throws ParamsError for a value that no account or cluster can have
 */
export function mergeCredentials(
  stored: string | undefined,
  plain: string | undefined,
  rotate: readonly Rotation[] = [],
): Merged {
  const inStore = readEnv(stored ?? "");
  const inFile = readEnv(plain ?? "");
  const rotated = new Set(rotatedKeys(rotate));
  const made: Key[] = [];
  const entries = KEYS.map((key): [Key, string] => {
    const known = inStore[key] ?? inFile[key];
    if (known !== undefined && !rotated.has(key)) return [key, known];
    made.push(key);
    return [key, NAMES[key] ?? makePassword()];
  });
  // Every key is in KEYS.
  const values = Object.fromEntries(entries) as Values;
  refuseUnusable(values);
  const differing = KEYS.filter((key) => inStore[key] !== undefined && (inFile[key] ?? inStore[key]) !== inStore[key]);
  return { values, made, differing };
}

/** The keys whose passwords these words name. */
export function rotatedKeys(rotate: readonly Rotation[]): readonly Key[] {
  return rotate.flatMap((what) => (what === "all" ? Object.values(PASSWORDS) : [PASSWORDS[what]]));
}

/** Reads `KEY=value` lines as dotenv does: comments, `export`, quotes. Empty values count as missing. */
function readEnv(text: string): Partial<Record<string, string>> {
  return Object.fromEntries(Object.entries(parseEnv(text)).filter(([, value]) => value !== ""));
}

function refuseUnusable(values: Values): void {
  const name = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/;
  for (const key of ["MARIADB_APP_USER", "MARIADB_APP_DATABASE", "GALERA_CLUSTER_NAME"] as const) {
    if (!name.test(values[key])) {
      throw new ParamsError(`${key} is ${JSON.stringify(values[key])}, which cannot be a name`, {
        hint: "letters, digits, _ . and -",
      });
    }
  }
  for (const key of Object.values(PASSWORDS)) {
    if (/[\n\r\0]/.test(values[key])) throw new ParamsError(`${key} holds a line break`);
    if (values[key].length < 8) {
      throw new ParamsError(`${key} is shorter than 8 characters`, { hint: `kb play galera.ts -e rotate=...` });
    }
  }
}

/** The values as a file that shells, docker and people read. `only` leaves the others out. */
export function renderEnv(values: Values, only: readonly Key[] = KEYS): Secret {
  return new Secret(only.map((key) => `${key}=${quoteEnv(values[key])}\n`).join(""));
}

function quoteEnv(value: string): string {
  if (/^[A-Za-z0-9_.:@%+/-]+$/.test(value)) return value;
  if (!value.includes("'")) return `'${value}'`;
  if (!/["$`\\]/.test(value)) return `"${value}"`;
  throw new ParamsError(
    "a credential holds quotes of both kinds, or one and a $, and no file can carry that to a shell",
    {
      hint: "change it by hand to one without them, or let kb make one: -e rotate=...",
    },
  );
}

export function toCredentials(values: Values): Credentials {
  return {
    rootPassword: new Secret(values.MARIADB_ROOT_PASSWORD),
    appUser: values.MARIADB_APP_USER,
    appPassword: new Secret(values.MARIADB_APP_PASSWORD),
    appDatabase: values.MARIADB_APP_DATABASE,
    clusterName: values.GALERA_CLUSTER_NAME,
    monitorPassword: new Secret(values.PROXYSQL_MONITOR_PASSWORD),
    healthPassword: new Secret(values.PROXYSQL_HEALTH_PASSWORD),
    adminPassword: new Secret(values.PROXYSQL_ADMIN_PASSWORD),
    sstPassword: new Secret(values.MARIADB_SST_PASSWORD),
    verifyPassword: new Secret(values.MARIADB_VERIFY_PASSWORD),
    hostFile: renderEnv(values, HOST_KEYS),
  };
}

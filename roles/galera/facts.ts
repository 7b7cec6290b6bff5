import { ask, type Output, type Probe, type Sh, sh } from "@keybuzz/runner";
import { CONF, DATA } from "../paths.ts";
import { APPLIED, RESTART } from "./roll/restart.ts";
import type { Runtime } from "./state.ts";

/** What the settings of a member follow from. */
export interface HostFacts {
  readonly memoryBytes: number;
  readonly cores: number;
  /** Size of the disk that the data is, or will be, on. */
  readonly diskBytes: number;
  /** Option files that the server would read, and that are neither ours nor a package's. */
  readonly strangers: readonly string[];
  /** Number of the user that data in the folder belongs to; undefined where there is none. */
  readonly dataOwner: number | undefined;
  /** Number of the host's own user `mysql`; undefined where there is none. */
  readonly mysqlUser: number | undefined;
  /** The options that are in force, as a file; undefined where there is none. */
  readonly applied: string | undefined;
  /** Why a restart was asked for that has not been made yet; undefined where none was. */
  readonly restart: string | undefined;
}

/** Option file of ours, in the folder of each runtime. It is read last. */
export const OPTION_FILE = "zz-keybuzz.cnf";

/** Where it is on the host. */
export function optionFile(runtime: Runtime): string {
  return runtime === "docker" ? `${CONF}/${OPTION_FILE}` : `/etc/mysql/mariadb.conf.d/${OPTION_FILE}`;
}

/** Reads {@link HostFacts}. `device` is the volume of the data, which need not be mounted yet. */
export function hostFacts(runtime: Runtime, device: string | undefined): Probe<HostFacts> {
  return ask(
    sh`echo "memory $(sed -n 's/^MemTotal: *\([0-9]*\) kB$/\1/p' /proc/meminfo)"
echo "cores $(getconf _NPROCESSORS_ONLN)"
echo "disk $(${diskSize(device)})"
if [ -e ${`${DATA}/ibdata1`} ]; then echo "owner $(stat -c %u ${`${DATA}/ibdata1`})"; fi
kb_options=${APPLIED}; [ -e "$kb_options" ] || kb_options=${optionFile(runtime)}
if [ -e "$kb_options" ]; then echo "applied"; sed 's/^/applied /' "$kb_options" || exit 1; fi
if [ -e ${RESTART} ]; then echo "restart $(cat ${RESTART})"; fi
if id -u mysql >/dev/null 2>&1; then echo "mysql $(id -u mysql)"; fi
${runtime === "docker" ? strangersOfContainer() : strangersOfUnit()}`,
    parseFacts,
  );
}

function strangersOfContainer(): Sh {
  return sh`for f in ${CONF}/*.cnf; do
  if [ -e "$f" ] && [ "\${f##*/}" != ${OPTION_FILE} ]; then echo "stranger $f"; fi
done`;
}

function strangersOfUnit(): Sh {
  return sh`for f in /etc/mysql/conf.d/*.cnf /etc/mysql/mariadb.conf.d/*.cnf; do
  if [ ! -e "$f" ] || [ "\${f##*/}" = ${OPTION_FILE} ] || dpkg-query --search -- "$f" >/dev/null 2>&1; then continue; fi
  echo "stranger $f"
done`;
}

function diskSize(device: string | undefined): Sh {
  const root = sh`df -P -k /opt | awk 'NR == 2 { printf "%.0f", $2 * 1024 }'`;
  return device === undefined ? root : sh`if [ -b ${device} ]; then blockdev --getsize64 ${device}; else ${root}; fi`;
}

/** @throws Error with a sentence where something could not be read */
export function parseFacts({ stdout, stderr }: Output): HostFacts {
  const optional = (name: string): number | undefined => {
    const text = new RegExp(`^${name} (\\d+)$`, "m").exec(stdout)?.[1];
    return text === undefined ? undefined : Number(text);
  };
  const number = (name: string): number => {
    const found = optional(name);
    if (found === undefined) throw new Error(`the host's ${name} could not be read: ${stderr.trim() || stdout}`);
    return found;
  };
  return {
    memoryBytes: number("memory") * 1024,
    cores: number("cores"),
    diskBytes: number("disk"),
    dataOwner: optional("owner"),
    mysqlUser: optional("mysql"),
    applied: /^applied$/m.test(stdout)
      ? [...stdout.matchAll(/^applied (.*)$/gm)].map(([, line = ""]) => `${line}\n`).join("")
      : undefined,
    restart: /^restart (.*)$/m.exec(stdout)?.[1],
    strangers: [...stdout.matchAll(/^stranger (.+)$/gm)].map(([, name = ""]) => name),
  };
}

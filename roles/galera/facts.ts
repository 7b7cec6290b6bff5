import { ask, type Output, type Probe, type Sh, sh } from "@keybuzz/runner";
import { CONF } from "../paths.ts";

/** What the settings of a member follow from. */
export interface HostFacts {
  readonly memoryBytes: number;
  readonly cores: number;
  /** Size of the disk that the data is, or will be, on. */
  readonly diskBytes: number;
  /** Option files in the folder that is ours, and that are not: the server would read them all the same. */
  readonly strangers: readonly string[];
}

/** Option file of ours, in the folder of each runtime. It is read last. */
export const OPTION_FILE = "zz-keybuzz.cnf";

/** Reads {@link HostFacts}. `device` is the volume of the data, which need not be mounted yet. */
export function hostFacts(device: string | undefined): Probe<HostFacts> {
  return ask(
    sh`echo "memory $(sed -n 's/^MemTotal: *\([0-9]*\) kB$/\1/p' /proc/meminfo)"
echo "cores $(getconf _NPROCESSORS_ONLN)"
echo "disk $(${diskSize(device)})"
for f in ${CONF}/*.cnf; do
  if [ -e "$f" ] && [ "\${f##*/}" != ${OPTION_FILE} ]; then echo "stranger \${f##*/}"; fi
done`,
    parseFacts,
  );
}

function diskSize(device: string | undefined): Sh {
  const root = sh`df -P -k /opt | awk 'NR == 2 { printf "%.0f", $2 * 1024 }'`;
  return device === undefined ? root : sh`if [ -b ${device} ]; then blockdev --getsize64 ${device}; else ${root}; fi`;
}

/** @throws Error with a sentence where something could not be read */
export function parseFacts({ stdout, stderr }: Output): HostFacts {
  const number = (name: string): number => {
    const text = new RegExp(`^${name} (\\d+)$`, "m").exec(stdout)?.[1];
    if (text === undefined) throw new Error(`the host's ${name} could not be read: ${stderr.trim() || stdout}`);
    return Number(text);
  };
  return {
    memoryBytes: number("memory") * 1024,
    cores: number("cores"),
    diskBytes: number("disk"),
    strangers: [...stdout.matchAll(/^stranger (.+)$/gm)].map(([, name = ""]) => name),
  };
}

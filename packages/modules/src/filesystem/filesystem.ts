import { ask, defineModule, exec, type ModuleSpec, type Output, type Sh, sh, type Unmet, unmet } from "@keybuzz/runner";
import * as z from "zod";
import { absolutePath } from "../params/params.ts";
import { NEW_FILESYSTEM } from "../params/resources.ts";

const params = z.strictObject({
  dev: absolutePath().describe("The block device; links as in /dev/disk/by-id are followed."),
  fstype: z.enum(["xfs", "ext4"]).describe("The file system that it should hold."),
  label: z
    .string()
    .regex(/^[A-Za-z0-9_.-]{1,12}$/, "must be 1 to 12 letters, digits, dots, underscores or hyphens")
    .optional()
    .describe("Label of a new file system. That of an existing one is left alone."),
  timeoutMs: z.int().min(1000).default(600_000).describe("Longest time to make it, in milliseconds."),
});

type Params = z.output<typeof params>;

/** Not finished: a mkfs.xfs was cut short. Such a file system cannot be mounted, so nothing was ever stored in it. */
type FilesystemState = { readonly fstype: string; readonly finished: boolean };

/**
 * What a device holds. `wipefs` lists every signature that libblkid knows, of file systems, partition tables, LVM, RAID
 * and encryption alike; `lsblk` lists partitions and what else the kernel has built on it. Byte 126 of an XFS is
 * `sb_inprogress`, which mkfs.xfs clears last, and without which the kernel refuses to mount it.
 * @see https://man7.org/linux/man-pages/man8/wipefs.8.html
 */
function question({ dev, fstype }: Params): Sh {
  return sh`d=$(readlink -f -- ${dev}) && [ -e "$d" ] || { echo missing; exit 0; }
[ -b "$d" ] || { echo no-device; exit 0; }
s=$(wipefs --no-act --noheadings --output TYPE -- "$d") || exit 1
for t in $s; do echo "signature $t"; done
c=$(lsblk --noheadings --raw --output TYPE -- "$d") || exit 1
echo "layers $(($(printf '%s\n' "$c" | wc -l)))"
n=$(stat -c 0x%t:0x%T -- "$d") || exit 1
if grep -q "^[0-9]* [0-9]* $((\${n%:*})):$((\${n#*:})) " /proc/self/mountinfo; then echo mounted; fi
od -An -tu1 -j126 -N1 -- "$d" | sed 's/ *//; s/^/unfinished /' || exit 1
command -v ${`mkfs.${fstype}`} >/dev/null && echo mkfs || echo no-mkfs`;
}

function parse({ dev, fstype }: Params, { stdout, stderr, exitCode }: Output): FilesystemState | null | Unmet {
  const lines = stdout.trim().split("\n");
  const has = (line: string): boolean => lines.includes(line);
  if (has("missing")) return unmet(`there is no ${dev}`, "attach the volume; lsblk lists the host's devices");
  if (has("no-device")) throw new Error(`${dev} is no block device`);
  if (exitCode !== 0 || !(has("mkfs") || has("no-mkfs"))) {
    throw new Error(`what ${dev} holds cannot be told: ${stderr.trim() || `exit ${exitCode}`}`);
  }
  const signatures = [...new Set(lines.flatMap((line) => /^signature (.+)$/.exec(line)?.[1] ?? []))];
  if (signatures.length === 1 && signatures[0] === fstype) {
    return { fstype, finished: fstype !== "xfs" || has("unfinished 0") };
  }
  if (signatures.length > 0) throw new Error(refusal(dev, fstype, signatures.join(", ")));
  if (!has("layers 1")) throw new Error(refusal(dev, fstype, "partitions or other devices"));
  if (has("mounted")) throw new Error(refusal(dev, fstype, "a mounted file system"));
  if (has("no-mkfs")) {
    return unmet(`mkfs.${fstype} is not installed`, `add the package ${fstype === "xfs" ? "xfsprogs" : "e2fsprogs"}`);
  }
  return null;
}

function refusal(dev: string, fstype: string, found: string): string {
  return `${dev} holds ${found}, not ${fstype} alone: a device that holds anything is never formatted; look at it with wipefs --no-act, and wipe it by hand if nothing on it is needed`;
}

const spec: ModuleSpec<typeof params, FilesystemState> = {
  name: "filesystem",
  summary: "Make a file system on a blank device; a device that holds anything is never formatted",
  params,
  id: ({ dev }) => dev,
  // The second tells what is mounted later in the same run that it may be empty.
  touches: ({ dev }) => [`filesystem:${dev}`, NEW_FILESYSTEM],
  probe: (given) => ask(question(given), (output) => parse(given, output)),
  desired: ({ fstype }) => ({ fstype, finished: true }),
  plan({ params: { dev, fstype, label, timeoutMs }, current }) {
    const name = label === undefined ? sh`` : sh`-L ${label} `;
    if (fstype === "ext4") return [exec(sh`mkfs.ext4 -q ${name}${dev}`, { timeoutMs })];
    // Without -f, mkfs.xfs refuses a device with a signature: here only that of its own cut-off work is overwritten.
    const force = current?.finished === false ? sh`-f ` : sh``;
    return [exec(sh`mkfs.xfs -q ${force}${name}${dev}`, { timeoutMs })];
  },
};

/**
 * A file system on a device. It is made only where the device is blank: no signature of any kind, no partitions, nothing
 * built on it, not mounted. Anything else but the wanted file system is an error, in check mode too.
 *
 * ```ts
 * filesystem({ dev: "/dev/disk/by-id/scsi-0HC_Volume_1234", fstype: "xfs" })
 * ```
 */
export const filesystem = defineModule(spec);

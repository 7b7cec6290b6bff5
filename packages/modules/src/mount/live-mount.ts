import { ask, type Output, type Probe, sh, type Unmet, unmet } from "@keybuzz/runner";

/** What is mounted, with those of its flags that every file system has and that are not the default. */
export type LiveMount = { readonly fstype: string; readonly flags: readonly string[] };

/** Per-mount flags of mount(8); `rw` and `relatime` are what a mount has without any. */
const FLAGS = new Set([
  ...["ro", "noatime", "nodiratime", "strictatime", "lazytime"],
  ...["nosuid", "nodev", "noexec", "sync", "dirsync"],
]);

/** The flags among mount options, sorted. */
export function flagsOf(opts: string): readonly string[] {
  return [...new Set(opts.split(",").filter((option) => FLAGS.has(option)))].sort();
}

/**
 * What is mounted at a path; `null` where nothing is. With a source, also whether it is that one that is mounted, and if
 * none is, whether the mount would hide files.
 * @see https://man7.org/linux/man-pages/man8/findmnt.8.html
 */
export function liveMount(path: string, src: string | undefined): Probe<LiveMount | null | Unmet> {
  const script = sh`if m=$(findmnt --noheadings --raw --output MAJ:MIN,FSTYPE,OPTIONS --mountpoint ${path}); then printf 'mount %s\n' "$m"
elif [ -n "$m" ]; then exit 1
elif [ -d ${path} ]; then e=$(ls -A -- ${path}) || exit 1; [ -z "$e" ] || echo entries; fi
s=${src ?? ""}
case $s in
/dev/*) d=$(readlink -f -- "$s") && [ -b "$d" ] || { echo missing; exit 0; };;
*=*) d=$(findfs "$s") || { echo missing; exit 0; };;
*) d=;;
esac
[ -z "$d" ] || stat -c 'device 0x%t 0x%T' -- "$d" || exit 1
echo end`;
  return ask(script, (output) => parse(path, src, output));
}

function parse(path: string, src: string | undefined, { stdout, stderr, exitCode }: Output): LiveMount | null | Unmet {
  const lines = stdout.trim().split("\n");
  const last = lines.at(-1);
  if (exitCode !== 0 || (last !== "end" && last !== "missing")) {
    throw new Error(`what is mounted at ${path} cannot be told: ${stderr.trim() || `exit ${exitCode}`}`);
  }
  if (last === "missing")
    return unmet(`there is no device ${src}`, "attach the volume; lsblk lists the host's devices");
  // Of several mounts on one point, the last one is on top.
  const mounts = lines.flatMap((line) => {
    const match = /^(?:mount )?(\d+:\d+) (\S+) (\S+)$/.exec(line);
    return match === null ? [] : [{ device: match[1], fstype: match[2] ?? "", flags: flagsOf(match[3] ?? "") }];
  });
  const top = mounts.at(-1);
  if (top === undefined) {
    if (src !== undefined && lines.includes("entries")) {
      throw new Error(`${path} holds files, which the mount would hide; move them elsewhere first`);
    }
    return null;
  }
  const device = deviceNumber(lines);
  if (device !== undefined && device !== top.device) {
    throw new Error(
      `${path} is the mount of another device (${top.device}) than ${src} (${device}); unmount that first`,
    );
  }
  return { fstype: top.fstype, flags: top.flags };
}

/** stat(1) prints device numbers in hexadecimal, the kernel's table in decimal. */
function deviceNumber(lines: readonly string[]): string | undefined {
  const match = lines.map((line) => /^device (0x[0-9a-f]+) (0x[0-9a-f]+)$/.exec(line)).find((found) => found !== null);
  return match === undefined || match === null ? undefined : `${Number(match[1])}:${Number(match[2])}`;
}

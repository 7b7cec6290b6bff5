import { askBatch, type Batch, type Probe, sh, type Unmet, unmet } from "@keybuzz/runner";
import { amongPresent, takeLines } from "./lines.ts";

/**
 * First lines of files below /proc/sys, through one head(1): the shell's own `read` asks for single bytes, and the kernel
 * answers such a reader only once (proc_dointvec).
 */
const SETTINGS: Batch = {
  name: "proc-sys",
  render: (keys) => ({
    script: sh`set -- ${keys}
m=
for p do if [ -f "$p" ]; then m=$m+; else m=$m-; fi; done
${amongPresent(sh`head -q -n 1`, sh`sed ${"s/^/=/"}`)}`,
  }),
  split: (stdout, keys) => takeLines(stdout, keys.length),
};

/**
 * Where a setting is found: dots separate, and a slash stands for a dot inside a name; `net/ipv4/conf/eth0.100/mtu` turns
 * this around where the first separator is a slash.
 * @see https://man7.org/linux/man-pages/man5/sysctl.d.5.html
 */
export function settingPath(name: string): string {
  const first = /[./]/.exec(name)?.[0];
  const path = first === "/" ? name : name.replace(/[./]/g, (separator) => (separator === "." ? "/" : "."));
  return `/proc/sys/${path}`;
}

/** The running kernel's value of a setting, blanks made single; {@link Unmet} where the kernel does not have it. */
export function kernelSetting(name: string): Probe<string | Unmet> {
  return askBatch(SETTINGS, settingPath(name), ({ stdout, stderr, exitCode }) => {
    if (stdout === "-\n") return unmet(`the kernel has no setting ${name}`, "load the module that brings it first");
    if (exitCode !== 0 || !stdout.startsWith("=")) {
      throw new Error(`${settingPath(name)} could not be read: ${stderr.trim() || `exit ${exitCode}`}`);
    }
    return stdout.slice(1).trim().replace(/\s+/g, " ");
  });
}

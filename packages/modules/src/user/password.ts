import { ask, type Probe, type Secret, sh } from "@keybuzz/runner";

/**
 * Whether a user has this password hash. The shell compares, with `[`, which is built in: the hash is in no process's
 * arguments, and what is set is never sent back. getent(1) finds nothing where the file may not be read, too.
 */
export function passwordIsSet(name: string, hash: Secret): Probe<boolean> {
  const script = sh`IFS= read -r want || [ -n "$want" ] || exit 3
line=$(getent shadow ${name}) || { [ $? = 2 ] && [ -r /etc/shadow ] && echo none; exit; }
rest=\${line#*:}; [ "\${rest%%:*}" = "$want" ] && echo same || echo other`;
  return ask({ script, stdin: hash }, ({ stdout, stderr, exitCode }) => {
    const said = stdout.trim();
    if (exitCode === 0 && (said === "same" || said === "other" || said === "none")) return said === "same";
    throw new Error(`the password hash of ${name} could not be compared: ${stderr.trim() || "only root can read it"}`);
  });
}

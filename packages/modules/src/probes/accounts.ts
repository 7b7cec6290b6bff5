import { askBatch, type Batch, type Output, type Probe, type Sh, sh } from "@keybuzz/runner";
import { takeLines } from "./lines.ts";

/**
 * One getent(1) for all keys. It leaves out what it does not find and exits with 2, so the shell puts each entry, or a
 * `-`, in its place.
 * @see https://man7.org/linux/man-pages/man1/getent.1.html
 */
function lookUp(database: "passwd" | "group", extra: Sh): Batch {
  return {
    name: `getent-${database}`,
    render: (keys) => ({
      script: sh`set -- ${keys}
o=$(getent ${database} "$@"); r=$?
case $r in 0|2) ;; *) exit $r;; esac
n='
'
for k do
case $n$o$n in *"$n$k:"*) l=$n$o$n; l=\${l#*"$n$k:"}; l=$k:\${l%%"$n"*}; ${extra}printf '%s\n' "$l";; *) echo -;; esac
done`,
    }),
    split: (stdout, keys) => takeLines(stdout, keys.length),
  };
}

/** Adds to a passwd entry whether its home is a directory. */
const HOME = sh`h=\${l%:*}; if [ -d "\${h##*:}" ]; then l="$l:+"; else l="$l:-"; fi; `;

const PASSWD = lookUp("passwd", HOME);
const GROUP = lookUp("group", sh``);

/** An entry of passwd(5). */
export interface Account {
  readonly uid: number;
  readonly gid: number;
  readonly comment: string;
  readonly home: string;
  readonly shell: string;
  readonly homeExists: boolean;
}

/** A user by name; `null` where there is none. */
export function account(name: string): Probe<Account | null> {
  return askBatch(PASSWD, name, (output) => {
    const line = entryLine("passwd", name, output);
    if (line === null) return null;
    const match = /^[^:]+:[^:]*:(\d+):(\d+):([^:]*):([^:]*):([^:]*):([+-])$/.exec(line);
    if (match === null) throw new Error(`getent passwd ${name} said ${JSON.stringify(line)}`);
    const [, uid, gid, comment = "", home = "", shell = "", exists] = match;
    return { uid: Number(uid), gid: Number(gid), comment, home, shell, homeExists: exists === "+" };
  });
}

/** The number of a group by name; `null` where there is none. */
export function groupNumber(name: string): Probe<number | null> {
  return askBatch(GROUP, name, (output) => {
    const line = entryLine("group", name, output);
    if (line === null) return null;
    const match = /^[^:]+:[^:]*:(\d+):[^:]*$/.exec(line);
    if (match === null) throw new Error(`getent group ${name} said ${JSON.stringify(line)}`);
    return Number(match[1]);
  });
}

function entryLine(database: string, name: string, { stdout, stderr, exitCode }: Output): string | null {
  const line = stdout.trimEnd();
  if (exitCode !== 0 || line === "") {
    throw new Error(`getent ${database} gave no answer for ${name}: ${stderr.trim() || `exit ${exitCode}`}`);
  }
  return line === "-" ? null : line;
}

/** One id(1) a user: `-` where there is no such user, else the names of its groups, its primary one first. */
const MEMBERSHIPS: Batch = {
  name: "id-groups",
  render: (keys) => ({
    script: sh`for u in ${keys}; do if getent passwd "$u" >/dev/null; then id -nG -- "$u" || exit 1; else echo -; fi; done`,
  }),
  split: (stdout, keys) => takeLines(stdout, keys.length),
};

/** Names of a user's supplementary groups, sorted; empty where there is no such user. */
export function supplementaryGroups(user: string): Probe<readonly string[]> {
  return askBatch(MEMBERSHIPS, user, ({ stdout, stderr, exitCode }) => {
    const line = stdout.trimEnd();
    if (exitCode !== 0 || line === "") throw new Error(`id -nG ${user} failed: ${stderr.trim() || `exit ${exitCode}`}`);
    return line === "-" ? [] : line.split(" ").slice(1).sort();
  });
}

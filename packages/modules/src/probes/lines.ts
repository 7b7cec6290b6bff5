import { type Sh, sh } from "@keybuzz/runner";

/** The first so many lines of a text, each with its newline; an empty text for each line that is missing. */
export function takeLines(stdout: string, count: number): readonly string[] {
  const lines = stdout.split("\n").slice(0, -1);
  return Array.from({ length: count }, (_, index) => {
    const line = lines[index];
    return line === undefined ? "" : `${line}\n`;
  });
}

/**
 * The end of a batch's script whose positional parameters are its keys: `$m` has a `+` for each that a program can be
 * asked about, and the answer itself for each other. The program prints a line each; `filter` turns its lines into answers.
 *
 * Where nothing is missing the lines are not touched one by one: dash's `read` takes a system call for each character.
 */
export function amongPresent(program: Sh, filter?: Sh): Sh {
  const filtered = filter === undefined ? sh`` : sh` && o=$(printf '%s\n' "$o" | ${filter})`;
  const all =
    filter === undefined
      ? sh`exec ${program} -- "$@"`
      : sh`o=$(${program} -- "$@") || exit 1; printf '%s\n' "$o" | ${filter}; exit`;
  return sh`case $m in
*[!+]*) r=$m; for p do shift; case $r in +*) set -- "$@" "$p";; esac; r=\${r#?}; done;;
*) ${all};;
esac
o=; [ $# -eq 0 ] || { o=$(${program} -- "$@")${filtered}; } || exit 1
while [ -n "$m" ]; do
case $m in +*) IFS= read -r l <&3; printf '%s\n' "$l";; *) printf '%.1s\n' "$m";; esac
m=\${m#?}
done 3<<KB_EOF
$o
KB_EOF`;
}

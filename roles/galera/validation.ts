import { type Sh, sh } from "@keybuzz/runner";

/**
 * Lets the very server that will read an option file say what it thinks of it: `--help` makes it read all of its options
 * and stop. Of what it says only the reasons of a refusal are shown.
 *
 * @param server the command that starts it with that file
 */
export function refusing(server: Sh): Sh {
  return sh`kb_said=$(${server} --user=mysql --verbose --help 2>&1 >/dev/null) || {
  echo "the server refuses these options:" >&2
  printf '%s\n' "$kb_said" | sed -n 's/^.*\[ERROR\] *//p' >&2
  exit 1
}`;
}

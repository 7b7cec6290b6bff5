import { type Sh, sh, shLines } from "./sh.ts";

/**
 * Shell functions that get to a place without being led elsewhere. In a directory that other users may write to, every
 * name can become a symbolic link between two words of a script; the working directory of a shell and an open
 * descriptor cannot.
 *
 * - `kb_ours`: whether nobody but root or this user may change what the working directory holds.
 * - `kb_enter DIRECTORY [MODE]`: goes there and stays. With a mode, what is missing is created, the last directory with
 *   that mode. A symbolic link on the way is followed only where nobody else could have put it.
 * - `kb_attributes ./NAME OWNER:GROUP MODE`: sets owner and mode (empty: left alone) of a regular file, and of nothing
 *   that it leads to. Among others' files, one with a second hard link is refused: it may be anybody's.
 *
 * `pwd` and a dot, since a command substitution loses line ends, which a directory's name may have.
 * @see https://man7.org/linux/man-pages/man7/path_resolution.7.html
 */
export const PLACE_FUNCTIONS: Sh = sh`kb_ours() {
  kb_stat=$(stat -c '%u %a' .) || return
  case $kb_stat in *[0145][0145]) ;; *) return 1 ;; esac
  [ -O . ] || [ "\${kb_stat%% *}" = 0 ]
}
kb_is() { [ "$(pwd -P; echo .)" = "$1
." ]; }
kb_enter() {
  if cd -P -- "$1" 2>/dev/null && kb_is "$1"; then return 0; fi
  cd / || return
  kb_rest=\${1#/}
  while [ -n "$kb_rest" ]; do
    kb_part=\${kb_rest%%/*}; kb_rest=\${kb_rest#"$kb_part"}; kb_rest=\${kb_rest#/}
    kb_step "$kb_part" "\${2:+\${kb_rest:+0755}}" "\${2-}" || return
  done
}
kb_step() {
  kb_here=$(pwd -P; echo .) kb_led=
  if [ -L "./$1" ]; then
    ! kb_ours || kb_led=1
  elif [ -n "$3" ] && [ ! -e "./$1" ]; then
    mkdir -m "\${2:-$3}" -- "./$1" || [ -d "./$1" ] || return
  fi
  cd -P -- "./$1" || return
  kb_here=\${kb_here%
.}
  kb_is "\${kb_here%/}/$1" || [ -n "$kb_led" ] || {
    echo "$kb_here/$1 is a symbolic link that other users could have put there: name the directory itself" >&2
    return 1
  }
}
kb_attributes() {
  if kb_ours; then
    [ -z "$2" ] || chown -h -- "$2" "$1" || return
    [ -z "$3" ] || chmod -- "$3" "$1"
    return
  fi
  if [ -L "$1" ] || [ ! -f "$1" ]; then echo "$PWD/$1 is no regular file" >&2; return 1; fi
  {
    kb_is_open "\${PWD%/}/\${1#./}" || { echo "$PWD/$1 is not what it was, or has a second name" >&2; return 1; }
    [ -z "$2" ] || chown -- "$2" /proc/self/fd/3 || return
    [ -z "$3" ] || chmod -- "$3" /proc/self/fd/3
  } 3<"$1"
}
kb_is_open() {
  [ "$(readlink -n /proc/self/fd/3; echo .)" = "$1." ] && [ "$(stat -L -c %h /proc/self/fd/3)" = 1 ]
}`;

/** The directory that a path is in, and the path's last name as seen from there. */
export interface Place {
  readonly directory: string;
  /** `./NAME`: no name is taken for an option. */
  readonly name: string;
}

/** Takes an absolute path apart. */
export function placeOf(path: string): Place {
  const slash = path.lastIndexOf("/");
  return { directory: path.slice(0, slash) || "/", name: `./${path.slice(slash + 1)}` };
}

/**
 * A script that works on a path from the directory that it is in, by the name that it has there.
 *
 * @param mode of that directory, where it is to be created if it is missing
 */
export function inFolderOf(path: string, act: (name: string) => Sh, mode?: string): Sh {
  const { directory, name } = placeOf(path);
  return inFolder(directory, act(name), mode);
}

/**
 * A script that is run in a directory, and fails where that is not to be reached.
 *
 * @param mode octal; where given, the directory is created if it is missing, and those above it with mode 0755
 */
export function inFolder(directory: string, script: Sh, mode?: string): Sh {
  return shLines([
    PLACE_FUNCTIONS,
    sh`kb_enter ${[directory, ...(mode === undefined ? [] : [mode])]} || exit 1`,
    script,
  ]);
}

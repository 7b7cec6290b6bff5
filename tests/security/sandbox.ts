import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { quoteShell, revealText, type Script } from "@keybuzz/runner";

/** A program that a script called, with its arguments as they came. */
export type Call = readonly [program: string, ...words: string[]];

/** What came of one script. */
export interface Trace {
  readonly calls: readonly Call[];
  /** What clients of a database were given: statements, and their option files. */
  readonly statements: readonly string[];
  readonly options: readonly string[];
}

/** The program that no script of ours ever calls: where it is called, a value was taken for shell text. */
export const INTRUDER = "kb-intruder";

/** The file that is there where a value was taken for shell text that redirects. */
export const CANARY = "kb-canary";

const PROGRAMS = [
  ...["apt-cache", "apt-get", "awk", "base64", "basename", "bash", "blkid", "cat", "chmod", "chown", "chpasswd", "cp"],
  ...[
    "crontab",
    "curl",
    "cut",
    "date",
    "dirname",
    "dockerd",
    "dpkg",
    "dpkg-query",
    "find",
    "findfs",
    "findmnt",
    "getent",
  ],
  ...["grep", "groupadd", "groupdel", "groupmod", "head", "hostname", "id", "ip", "iptables", "ip6tables", "ln", "ls"],
  ...["lsblk", "mariadb", "mkdir", "mkfs.ext4", "mkfs.xfs", "mktemp", "mount", "mv", "od", "python3", "readlink", "rm"],
  ...[
    "rmdir",
    "sed",
    "sha256sum",
    "ssh-keygen",
    "ssh-keyscan",
    "stat",
    "sync",
    "sysctl",
    "systemctl",
    "systemd-analyze",
  ],
  ...[
    "tail",
    "tar",
    "timedatectl",
    "touch",
    "tr",
    "ufw",
    "umount",
    "uniq",
    "unzip",
    "useradd",
    "userdel",
    "usermod",
    "wc",
  ],
  ...["wget", "wipefs", "xargs", "git", "sort", "cmp", "file", "test", "env", "tee", INTRUDER],
];

/** Writes down what it was called with, and says nothing. */
const RECORDER = `#!/bin/sh
{ printf '%s\\0' "\${0##*/}" "$@"; printf '\\001\\0'; } >>"$KB_TRACE/calls.$$"
case \${0##*/} in mariadb) /bin/cat <&4 >"$KB_TRACE/options.$$"; /bin/cat >"$KB_TRACE/sql.$$" ;; esac
exit "\${KB_EXIT:-0}"
`;

/** `docker exec -i NAME sh -c TEXT` runs a shell elsewhere, whose text is none of the arguments of this one: it is run too. */
const DOCKER = `#!/bin/sh
{ printf '%s\\0' "\${0##*/}"; [ "$1 $2 $4 $5" = "exec -i sh -c" ] && printf '%s\\0' "$1" "$2" "$3" "$4" "$5" || printf '%s\\0' "$@"; printf '\\001\\0'; } >>"$KB_TRACE/calls.$$"
[ "$1 $2 $4 $5" != "exec -i sh -c" ] || exec /bin/sh -c "$6"
exit "\${KB_EXIT:-0}"
`;

/**
 * A folder in which real shells run scripts whose every program only writes down what it was called with. As root, they
 * run as nobody: a script's own redirections reach nothing.
 */
export class Sandbox {
  readonly folder = mkdtempSync(join(tmpdir(), "kb-sandbox-"));
  readonly #bin = join(this.folder, "bin");
  #runs = 0;

  constructor() {
    chmodSync(this.folder, 0o755);
    mkdirSync(this.#bin);
    for (const program of PROGRAMS) writeFileSync(join(this.#bin, program), RECORDER, { mode: 0o755 });
    writeFileSync(join(this.#bin, "docker"), DOCKER, { mode: 0o755 });
    mkdirSync(this.#at("home"));
    chmodSync(this.#at("home"), 0o777);
  }

  /** Whether a value was taken for a redirection: to {@link CANARY}, in the directory that scripts begin in. */
  get broken(): boolean {
    return existsSync(join(this.#at("home"), CANARY));
  }

  /** Runs scripts, each in a subshell of one shell, as the engine does. Programs exit with this code. */
  run(shell: readonly [string, ...string[]], scripts: readonly Script[], exitCode: number): readonly Trace[] {
    this.#runs += 1;
    const place = this.#at(`run${this.#runs}`);
    mkdirSync(place);
    scripts.forEach((_, index) => {
      mkdirSync(join(place, String(index)));
      chmodSync(join(place, String(index)), 0o777);
    });
    const text = scripts.map(({ script, stdin }, index) => {
      const input = stdin === undefined ? "" : `printf %s ${quoteShell(revealText(stdin))} | `;
      const trace = `KB_TRACE=${quoteShell(join(place, String(index)))}; export KB_TRACE`;
      return `${input}( ${trace}; eval ${quoteShell(script.text)} ) ${input === "" ? "</dev/null " : ""}>/dev/null`;
    });
    const [program, ...argv] = shell;
    const { stderr, error, status, signal } = spawnSync(program, argv, {
      input: `set +m; cd ${quoteShell(this.#at("home"))}\n${text.join("\n")}\nexit 0\n`,
      env: { PATH: this.#bin, LC_ALL: "C", KB_EXIT: String(exitCode) },
      encoding: "utf8",
      timeout: 60_000,
      maxBuffer: 64 * 1024 * 1024,
      ...(process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}),
    });
    if (error !== undefined || status !== 0)
      throw new Error(`${program}: ${error ?? signal ?? status}: ${stderr.slice(-2000)}`);
    const missing = /(?:^|: )([a-z][\w.-]*): (?:command )?not found/m.exec(stderr)?.[1];
    if (missing !== undefined) throw new Error(`${missing} is no program of the sandbox: ${stderr.slice(0, 500)}`);
    const traces = scripts.map((_, index) => readTrace(join(place, String(index))));
    rmSync(place, { recursive: true, force: true });
    return traces;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #at(name: string): string {
    return join(this.folder, name);
  }
}

function readTrace(place: string): Trace {
  const files = readdirSync(place).toSorted();
  const read = (prefix: string): readonly string[] =>
    files.filter((file) => file.startsWith(prefix)).map((file) => readFileSync(join(place, file), "utf8"));
  const calls = read("calls.").flatMap((text) =>
    text
      .split("\u0001\0")
      .filter((call) => call !== "")
      .map((call): Call => {
        const [program = "", ...words] = call.split("\0").slice(0, -1);
        return [program, ...words];
      }),
  );
  return { calls, statements: read("sql."), options: read("options.") };
}

/** The shells of this machine that serve as `sh` somewhere. */
export function shells(): readonly (readonly [string, ...string[]])[] {
  const known = [["/bin/dash"], ["/bin/bash", "--posix"], ["/bin/busybox", "sh"]] as const;
  const found = known.filter(([program]) => existsSync(program));
  return found.length > 0 ? found : [["/bin/sh"]];
}

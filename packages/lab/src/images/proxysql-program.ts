import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { command } from "../command.ts";
import { LabError } from "../errors.ts";
import type { FileEntry } from "./recipe.ts";

/** The program that the lab's hosts run as `proxysql`, as files of a package or an image. */
export interface ProxysqlProgram {
  readonly kind: "real" | "stand-in";
  /** Upstream version, such as `2.7.1`. */
  readonly version: string;
  /** What changes rarely and is large, apart from the rest: a layer of its own. */
  readonly runtime: readonly FileEntry[];
  readonly files: readonly FileEntry[];
  /** Debian packages that the program needs. */
  readonly depends: readonly string[];
}

const STAND_IN_VERSION = "2.7.1";
const LIBRARY = "/usr/lib/keybuzz-lab/proxysql";

/**
 * Chooses the program: the real binary that `KB_LAB_PROXYSQL` names, or else the lab's stand-in with the Node that it
 * runs on.
 *
 * @throws {LabError} when the variable names something that is not a working ProxySQL.
 */
export async function proxysqlProgram(realBinary = process.env["KB_LAB_PROXYSQL"]): Promise<ProxysqlProgram> {
  return realBinary === undefined || realBinary === "" ? standIn() : real(realBinary);
}

async function real(path: string): Promise<ProxysqlProgram> {
  const { stdout } = await command([path, "--version"]);
  const version = /(\d+\.\d+\.\d+)/.exec(stdout)?.[1];
  if (version === undefined)
    throw new LabError(`KB_LAB_PROXYSQL=${path}: its --version says ${stdout}`, { exitCode: 2 });
  return {
    kind: "real",
    version,
    runtime: [],
    files: [{ kind: "copy", path: "/usr/bin/proxysql", from: path, mode: 0o755, fingerprint: binaryFingerprint(path) }],
    depends: ["libc6", "libgnutls30t64"],
  };
}

function standIn(): ProxysqlProgram {
  const sources = fileURLToPath(new URL("../proxysql", import.meta.url));
  const node = findNode();
  return {
    kind: "stand-in",
    version: STAND_IN_VERSION,
    runtime: [{ kind: "copy", path: `${LIBRARY}/node`, from: node.path, mode: 0o755, fingerprint: node.version }],
    files: [
      { kind: "file", path: "/usr/bin/proxysql", mode: 0o755, content: LAUNCHER },
      { kind: "file", path: `${LIBRARY}/proxysql.js`, mode: 0o644, content: ENTRY },
      // Without it, Node would have to guess how the sources are to be read.
      { kind: "file", path: `${LIBRARY}/package.json`, mode: 0o644, content: '{ "type": "module" }\n' },
      ...programFiles(sources).map(
        (from): FileEntry => ({
          kind: "copy",
          path: `${LIBRARY}/src/${relative(sources, from)}`,
          from,
          mode: 0o644,
          fingerprint: createHash("sha256").update(readFileSync(from)).digest("hex"),
        }),
      ),
    ],
    depends: ["libc6", "libstdc++6", "libgcc-s1"],
  };
}

const LAUNCHER = `#!/bin/sh
# The KeyBuzz lab's stand-in for ProxySQL.
exec ${LIBRARY}/node --disable-warning=ExperimentalWarning ${LIBRARY}/proxysql.js "$@"
`;

/** Lists of processes, and `pidof`, show the program by its name and not as a thread of Node's. */
const ENTRY = `process.title = ["proxysql", ...process.argv.slice(2)].join(" ");
await import("./src/main${import.meta.url.slice(-3)}");
`;

/** All files below a folder that are part of the program: no tests, no recordings that tests compare with. */
export function programFiles(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !/\.test\.ts$|\.ndjson$|\/testing\//.test(path))
    .sort();
}

/** A Node that is one file: the one that the project installs from npm, or else the one that runs this. */
function findNode(): { readonly path: string; readonly version: string } {
  const running = { path: process.execPath, version: `${process.version} ${process.arch}` };
  try {
    const manifest = createRequire(import.meta.url).resolve("node/package.json");
    const { version } = JSON.parse(readFileSync(manifest, "utf8")) as { version: string };
    return { path: join(dirname(manifest), "bin/node"), version: `v${version} ${process.arch}` };
  } catch {
    return running;
  }
}

/** Tells versions of a large binary apart without reading it. */
function binaryFingerprint(path: string): string {
  const { size, mtimeMs } = statSync(path);
  return `${size} bytes of ${mtimeMs}`;
}

import { debianBase } from "./debian-base.ts";
import { proxysqlAsset } from "./proxysql-package.ts";
import type { ProxysqlProgram } from "./proxysql-program.ts";
import type { FilesLayer, ImageRecipe, LayerRecipe, PackagesLayer } from "./recipe.ts";

/**
 * `proxysql/proxysql:2.7` as the lab builds it: entry point, paths and ports of the official image.
 *
 * @see https://hub.docker.com/r/proxysql/proxysql
 */
export function proxysqlImage(program: ProxysqlProgram): ImageRecipe {
  const what = program.kind === "real" ? "the real ProxySQL" : "the KeyBuzz lab's stand-in for ProxySQL";
  return {
    repository: "proxysql/proxysql",
    tags: [program.version.replace(/\.\d+$/, ""), program.version],
    layers: [debianBase, ...prerequisites(program), programLayer(program)],
    config: {
      Entrypoint: ["proxysql", "-f", "--idle-threads", "-D", "/var/lib/proxysql"],
      Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
      ExposedPorts: { "6032/tcp": {}, "6033/tcp": {} },
      Volumes: { "/var/lib/proxysql": {} },
      Labels: {
        "org.opencontainers.image.title": `ProxySQL ${program.version}, built by the KeyBuzz lab`,
        "org.opencontainers.image.description": `Not the official image: ${what}, for tests`,
        "org.opencontainers.image.vendor": "KeyBuzz lab",
        "org.opencontainers.image.version": program.version,
        "org.opencontainers.image.base.name": "debian:trixie",
      },
    },
  };
}

function programLayer(program: ProxysqlProgram): FilesLayer {
  return {
    kind: "files",
    name: `proxysql-${program.kind}`,
    files: [
      ...program.files,
      { kind: "directory", path: "/var/lib/proxysql", mode: 0o755 },
      { kind: "file", path: "/etc/proxysql.cnf", mode: 0o644, content: proxysqlAsset("proxysql.cnf") },
    ],
  };
}

/** What the program runs on. The base holds the libraries that Node needs; the real binary needs more. */
function prerequisites({ kind, depends, runtime }: ProxysqlProgram): readonly LayerRecipe[] {
  if (kind === "stand-in") return [{ kind: "files", name: "node", files: runtime }];
  const layer: PackagesLayer = {
    kind: "packages",
    name: "proxysql-libraries",
    on: debianBase,
    packages: depends,
    before: "",
    after: "",
  };
  return [layer];
}

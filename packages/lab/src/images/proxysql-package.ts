import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { DebRecipe } from "./deb.ts";
import type { Architecture } from "./oci.ts";
import type { ProxysqlProgram } from "./proxysql-program.ts";
import type { FileEntry } from "./recipe.ts";

/** A text that package and image share. */
export function proxysqlAsset(name: string): string {
  return readFileSync(join(import.meta.dirname, "proxysql", name), "utf8");
}

/**
 * The Debian package `proxysql`: account, paths, configuration file and units as the official package has them. Its
 * version ends in `+keybuzzlab`.
 *
 * @see https://proxysql.com/documentation/installing-proxysql/
 */
export function proxysqlPackage(program: ProxysqlProgram, architecture: Architecture): DebRecipe {
  const what = program.kind === "real" ? "The real ProxySQL" : "The KeyBuzz lab's stand-in for ProxySQL";
  const unit = (name: string): FileEntry => ({
    kind: "file",
    path: `/usr/lib/systemd/system/${name}`,
    mode: 0o644,
    content: proxysqlAsset(name),
  });
  return {
    package: "proxysql",
    version: `${program.version}+keybuzzlab`,
    architecture,
    depends: program.depends,
    description: ["High performance MySQL proxy", `${what}, packaged by the KeyBuzz lab for its tests.`],
    files: [
      ...program.runtime,
      ...program.files,
      unit("proxysql.service"),
      unit("proxysql-initial.service"),
      { kind: "file", path: "/etc/proxysql.cnf", mode: 0o640, content: proxysqlAsset("proxysql.cnf") },
      { kind: "directory", path: "/var/lib/proxysql", mode: 0o755 },
    ],
    conffiles: ["/etc/proxysql.cnf"],
    scripts: { postinst: proxysqlAsset("postinst"), prerm: proxysqlAsset("prerm") },
  };
}

import type { DebRecipe } from "./deb.ts";

/** Versions of `kb-hello` that the lab's repository offers, oldest first. */
export const HELLO_VERSIONS = ["1.0", "1.1"] as const;

/** A package that says its version: small enough to install, hold, upgrade and remove in a test of apt. */
export function helloPackage(version: string): DebRecipe {
  return {
    package: "kb-hello",
    version,
    architecture: "all",
    depends: [],
    description: ["says hello", "A package to try package managers on, in two versions."],
    files: [
      {
        kind: "file",
        path: "/usr/bin/kb-hello",
        mode: 0o755,
        content: `#!/bin/sh\necho "hello from kb-hello ${version}"\n`,
      },
      { kind: "file", path: "/etc/kb-hello.conf", mode: 0o644, content: "# kb-hello reads nothing from here\n" },
    ],
    conffiles: ["/etc/kb-hello.conf"],
    scripts: {},
  };
}

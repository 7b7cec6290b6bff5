import { command } from "@keybuzz/modules";
import { ask, type Probe, type Sh, sh, type Task } from "@keybuzz/runner";
import { MARIADB_CONTAINER } from "../../paths.ts";
import { imageOf } from "../docker.ts";
import type { GaleraVars } from "../params.ts";
import type { Runtime } from "../state.ts";

/** Packages of a member that an upgrade brings to their newest version. */
export const PACKAGES = ["mariadb-server", "mariadb-backup", "galera-4"] as const;

/** What is old on a node: its container's image, or its packages; the package lists are asked for news first. */
export function outdated(vars: GaleraVars): Probe<readonly string[]> {
  return ask(
    vars.mariadb_runtime === "docker" ? imageScript(imageOf(vars)) : packageScript(),
    ({ stdout, stderr, exitCode }) => {
      if (exitCode !== 0) throw new Error(`what is to be upgraded cannot be told: ${stderr.trim()}`);
      return stdout.split("\n").filter((line) => line !== "");
    },
  );
}

function imageScript(image: string): Sh {
  return sh`kb_wanted=$(docker image inspect -f '{{.Id}}' ${image}) || exit 1
kb_now=$(docker container inspect -f '{{.Image}}' ${MARIADB_CONTAINER}) || exit 1
[ "$kb_now" = "$kb_wanted" ] || echo "image" ${image}`;
}

/** A simulation: it installs nothing, and needs no lock. */
function packageScript(): Sh {
  return sh`kb_new=$(apt-get --simulate --only-upgrade --no-install-recommends install ${[...PACKAGES]}) || exit 1
printf '%s\n' "$kb_new" | sed -n 's/^Inst \([^ ]*\) \[\([^]]*\)\] (\([^ ]*\).*$/\1 \2 -> \3/p'`;
}

/**
 * The system tables as the server of now wants them; on each node for itself, which is how mariadb-upgrade does it.
 * @see https://mariadb.com/kb/en/mariadb-upgrade/
 */
export function systemTables(runtime: Runtime): Task {
  const program = runtime === "docker" ? sh`docker exec ${MARIADB_CONTAINER} mariadb-upgrade` : sh`mariadb-upgrade`;
  return command(
    {
      run: sh`${program} --no-defaults --user=root --silent`,
      // 0: it is needed; 1: it is not.
      unless: sh`! timeout 60 ${program} --no-defaults --user=root --check-if-upgrade-is-needed --silent >/dev/null 2>&1`,
      timeoutMs: 3_600_000,
    },
    { name: "system tables of this version" },
  );
}

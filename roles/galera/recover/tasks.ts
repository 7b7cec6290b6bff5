import { command, waitFor } from "@keybuzz/modules";
import { type Sh, sh, type Task } from "@keybuzz/runner";
import { CONF, DATA, MARIADB_CONTAINER, STATE } from "../../paths.ts";
import { imageOf } from "../docker.ts";
import type { GaleraVars } from "../params.ts";
import type { Runtime } from "../state.ts";
import { asRoot, isPrimary, isSynced, lastWords } from "../synced.ts";
import type { Loss } from "./loss.ts";

const POSITION = `${STATE}/position`;
/** Says that moving aside was begun, and to which folder. */
const MOVING = `${STATE}/moving-aside`;

/** A member that waits for peers was seen to ignore SIGTERM for two minutes; it serves nobody, and InnoDB recovers. */
const STOP_SECONDS = 30;

/** The server stopped, if it serves nobody; whoever watches over it does not start it again. */
export function stopped({ mariadb_runtime: runtime }: GaleraVars): Task {
  return command(
    {
      run: sh`if ${isPrimary(runtime)}; then echo "not stopping: the server is part of a primary component by now" >&2; exit 1; fi
${runtime === "docker" ? stopContainer() : stopUnit()}`,
      unless: runtime === "docker" ? containerIsDown() : unitIsDown(),
      timeoutMs: 120_000,
    },
    { name: "stop of a server that serves nobody" },
  );
}

function containerIsDown(): Sh {
  return sh`! command -v docker >/dev/null || [ "$(docker container inspect -f '{{.State.Running}}' ${MARIADB_CONTAINER} 2>/dev/null)" != true ]`;
}

function stopContainer(): Sh {
  return sh`docker stop --time ${STOP_SECONDS} ${MARIADB_CONTAINER} >/dev/null`;
}

function unitIsDown(): Sh {
  return sh`case $(systemctl is-active mariadb) in inactive | failed | unknown) exit 0 ;; *) exit 1 ;; esac`;
}

/** The unit never kills by itself. */
function stopUnit(): Sh {
  return sh`timeout ${STOP_SECONDS} systemctl stop mariadb || { systemctl kill --signal=KILL mariadb; timeout ${STOP_SECONDS} systemctl stop mariadb; }`;
}

/**
 * What InnoDB knows of its place, in a file that counts as long as no file of InnoDB is newer. Data that the server cannot
 * even open has none.
 * @see https://mariadb.com/kb/en/getting-started-with-mariadb-galera-cluster/#determining-the-most-advanced-node
 */
export function measured(vars: GaleraVars): Task {
  const server = vars.mariadb_runtime === "docker" ? insideImage(vars) : sh`mariadbd`;
  return command(
    {
      run: sh`${server} --user=mysql --wsrep-recover --disable-log-error >${`${POSITION}.said`} 2>&1 || :
kb_place=$(sed -n 's/.*WSREP: Recovered position: *//p' ${`${POSITION}.said`} | tail -n 1)
printf '%s\n' "\${kb_place:-none}" >${`${POSITION}.new`} && mv -f ${`${POSITION}.new`} ${POSITION}`,
      unless: isMeasured(),
      timeoutMs: 3_600_000,
    },
    { name: "measure of the place that InnoDB knows" },
  );
}

function isMeasured(): Sh {
  return sh`[ -s ${POSITION} ] && [ -z "$(find ${DATA} -maxdepth 1 -newer ${POSITION} '(' -name 'ib*' -o -name grastate.dat ')' -print -quit)" ]`;
}

/** The very image that the container was made from, where there is one. */
function insideImage(vars: GaleraVars): Sh {
  return sh`docker run --rm --network none --volume ${`${DATA}:/var/lib/mysql`} --volume ${`${CONF}:/etc/mysql/conf.d:ro`} \
--entrypoint mariadbd "$(docker container inspect -f '{{.Image}}' ${MARIADB_CONTAINER} 2>/dev/null || echo ${imageOf(vars)})"`;
}

/** The last view out of the way: a member that restores it beside the one that goes on would hinder that one. */
export function viewAside(): Task {
  const view = `${DATA}/gvwstate.dat`;
  return command(
    {
      run: sh`mv -f ${view} ${`${STATE}/gvwstate.dat.moved-aside-`}"$(date -u +%Y%m%dT%H%M%SZ)"`,
      unless: sh`[ ! -e ${view} ]`,
    },
    { name: "last view moved aside" },
  );
}

/**
 * The data out of the way, on the same volume, under a name that says when and why; an operator removes it. The host then
 * counts as one that never was a member. Begun twice, it goes on in the same folder.
 */
export function dataAside(why: Loss["why"]): Task {
  return command(
    {
      run: sh`if [ ! -s ${MOVING} ]; then
  echo ${`${DATA}/data.moved-aside-`}"$(date -u +%Y%m%dT%H%M%SZ)"-${why} >${`${MOVING}.new`} && mv -f ${`${MOVING}.new`} ${MOVING} && sync ${STATE} || exit 1
fi
kb_aside=$(cat ${MOVING}) && mkdir -p -m 0700 "$kb_aside" && chown --reference=${DATA} "$kb_aside" || exit 1
find ${DATA} -mindepth 1 -maxdepth 1 ! -name 'data.moved-aside-*' -exec mv -f -t "$kb_aside" {} + || exit 1
rm -f ${`${STATE}/cluster`} ${POSITION} && rm -f ${MOVING}`,
      unless: sh`[ ! -e ${MOVING} ] && [ ! -e ${`${DATA}/ibdata1`} ]`,
    },
    { name: `data moved aside, and kept (${why})` },
  );
}

/** Makes a member without a majority primary again, as it is: its clients and its gcache stay. */
export function promoted({ mariadb_runtime: runtime }: GaleraVars): Task {
  const primary = isPrimary(runtime);
  return command(
    {
      // Each form is unknown, or read only, where the other one works. It takes effect a moment later.
      run: sh`kb_said=$(${asRoot(runtime, "SET GLOBAL wsrep_provider_pc_bootstrap = ON")} 2>&1) ||
  kb_said=$(${asRoot(runtime, "SET GLOBAL wsrep_provider_options = 'pc.bootstrap=YES'")} 2>&1) || { printf '%s\n' "$kb_said" >&2; exit 1; }
kb_end=$(($(date +%s) + 30))
until ${primary} || [ "$(date +%s)" -ge "$kb_end" ]; do :; done`,
      unless: primary,
      timeoutMs: 120_000,
    },
    { name: "primary again, without the members that are gone" },
  );
}

/**
 * Waits until the member is Synced and its view has not changed for a while: a member that was bootstrapped beside a left-over
 * one looked well for 40 s, then lost its group.
 */
export function steady(runtime: Runtime, size: number, holdSeconds: number, timeoutMs: number): Task {
  return waitFor({
    test: sh`kb_since=$(stat -c %Y ${`${DATA}/gvwstate.dat`} 2>/dev/null) &&
[ "$(($(date +%s) - kb_since))" -ge ${holdSeconds} ] && ${isSynced(runtime, size)}`,
    what: `the member to be Synced, one of ${size}, in a view that lasts for ${holdSeconds} s`,
    timeoutMs: timeoutMs + holdSeconds * 1000,
    onTimeout: lastWords(runtime),
  });
}

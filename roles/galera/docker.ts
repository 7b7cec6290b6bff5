import { createHash } from "node:crypto";
import { directory, dockerContainer, dockerImage, file, template } from "@keybuzz/modules";
import { Secret, sh, type Task } from "@keybuzz/runner";
import { BASE, CONF, DATA, MARIADB_CONTAINER, STATE } from "../paths.ts";
import { optionFile } from "./facts.ts";
import type { GaleraParams, GaleraVars } from "./params.ts";
import { RESTART } from "./roll/restart.ts";
import { OPTIONS_TEMPLATE, type settingsFor } from "./settings.ts";
import { becomesSynced, letGo } from "./synced.ts";
import { refusing } from "./validation.ts";

/** User and group of the server in the image, official or built after it. */
export const IMAGE_USER = 999;
const MYSQL = String(IMAGE_USER);
const SECRETS = `${BASE}/secrets`;
const START = `${BASE}/bin/start-member`;

export function imageOf(vars: GaleraVars): string {
  return vars.mariadb_image ?? `mariadb:${vars.mariadb_version}`;
}

/** All that a container needs, and that touches no running one. */
export function dockerFiles(
  vars: GaleraVars,
  params: GaleraParams,
  settings: ReturnType<typeof settingsFor>,
): readonly Task[] {
  return [
    // First of all: an image that cannot be had must stop the run before anything else is touched.
    dockerImage({ name: imageOf(vars) }),
    ...[BASE, CONF, STATE, `${BASE}/bin`].map((path) =>
      directory({ path, mode: "0755", owner: "root", group: "root" }),
    ),
    directory({ path: SECRETS, mode: "0711", owner: "root", group: "root" }),
    directory({ path: DATA, mode: "0750", owner: MYSQL, group: MYSQL }),
    file({
      path: `${SECRETS}/root-password-hash`,
      content: passwordHash(params.credentials.rootPassword),
      mode: "0400",
      owner: MYSQL,
      group: MYSQL,
    }),
    file({
      path: START,
      src: new URL("files/start-member.sh", import.meta.url),
      mode: "0755",
      owner: "root",
      group: "root",
    }),
    template({
      src: OPTIONS_TEMPLATE,
      dest: optionFile("docker"),
      vars: settings,
      mode: "0640",
      owner: "root",
      group: MYSQL,
      validate:
        refusing(sh`docker run --rm --network none --volume "$KB_FILE:/tmp/candidate.cnf:ro" --entrypoint mariadbd ${imageOf(vars)} \
--defaults-file=/tmp/candidate.cnf`),
    }),
  ];
}

/** As the server stores it; the clear text stays in mariadb.env. @see https://mariadb.com/kb/en/password/ */
function passwordHash(password: Secret): Secret {
  const sha1 = (data: string | Buffer): Buffer => createHash("sha1").update(data).digest();
  return new Secret(`*${sha1(sha1(password.reveal())).toString("hex").toUpperCase()}`);
}

/**
 * The server. It never gets `--wsrep-new-cluster` in its command: `start-member` decides at each start, so that no
 * restart ever bootstraps.
 *
 * @param size how many members there are: a running one is not stopped while any other is missing
 * @param joined how many there are once this one is up
 */
export function dockerServer(vars: GaleraVars, size: number, joined: number, timeoutMs: number): readonly Task[] {
  return [
    dockerContainer({
      name: MARIADB_CONTAINER,
      image: imageOf(vars),
      entrypoint: ["/usr/local/bin/start-member"],
      command: ["container"],
      network_mode: "host",
      restart_policy: "unless-stopped",
      // InnoDB may have much to write; killed, it would have to recover.
      stop_timeout: 600,
      env: {
        MARIADB_ROOT_PASSWORD_HASH_FILE: "/run/keybuzz/root-password-hash",
        MARIADB_ROOT_HOST: "localhost",
        MARIADB_MYSQL_LOCALHOST_USER: "1",
        MARIADB_INITDB_SKIP_TZINFO: "1",
      },
      volumes: [
        `${DATA}:/var/lib/mysql`,
        `${CONF}:/etc/mysql/conf.d:ro`,
        `${STATE}:${STATE}`,
        `${SECRETS}:/run/keybuzz:ro`,
        `${START}:/usr/local/bin/start-member:ro`,
      ],
      restartedAfter: [RESTART],
      beforeStop: letGo("docker", size),
      ready: { test: becomesSynced("docker", joined), what: "the member to be Synced", timeoutMs },
    }),
  ];
}

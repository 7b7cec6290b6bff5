import { apt, directory, file, service, systemdUnit, template } from "@keybuzz/modules";
import { sh, type Task } from "@keybuzz/runner";
import { BASE, DATA, STATE } from "../paths.ts";
import { optionFile } from "./facts.ts";
import { RESTART } from "./roll/restart.ts";
import { OPTIONS_TEMPLATE, type settingsFor } from "./settings.ts";
import { becomesSynced, letGo } from "./synced.ts";
import { refusing } from "./validation.ts";

const START = `${BASE}/bin/start-member`;
const OPTIONS = optionFile("native");

/**
 * What the package's unit lacks. It is there before the package, so that the server which the package starts on its own
 * right after its installation, with the package's options, never comes up.
 */
const DROP_IN = `[Unit]
ConditionPathExists=${OPTIONS}
RequiresMountsFor=${DATA}
# A member waits for its peers for as long as it takes.
StartLimitIntervalSec=0

[Service]
# In place of the unit's own galera_recovery, which would make InnoDB's files in the empty folder of a new member. As
# root, and outside of the unit's own file system view.
ExecStartPre=
ExecStartPre=+${START} unit
# Not debian-start: it runs mariadb-upgrade on each new member, in the background, and the FLUSH PRIVILEGES at its end locks
# the account out by which that member sends its data to the next ("You must SET PASSWORD"). An upgrade is a step of its own.
ExecStartPost=
ExecStartPost=/bin/rm -f /run/mysqld/wsrep-start-position /run/mysqld/wsrep-new-cluster
Restart=on-failure
RestartSec=5s
`;

/** All that the server needs, and that touches no running one. */
export function nativeFiles(settings: ReturnType<typeof settingsFor>): readonly Task[] {
  return [
    ...[BASE, STATE, `${BASE}/bin`].map((path) => directory({ path, mode: "0755", owner: "root", group: "root" })),
    file({
      path: START,
      src: new URL("files/start-member.sh", import.meta.url),
      mode: "0755",
      owner: "root",
      group: "root",
    }),
    systemdUnit({ name: "mariadb.service", dropin: "keybuzz", content: DROP_IN }),
    apt({ name: ["mariadb-server", "mariadb-backup", "galera-4", "socat"], install_recommends: false }),
    directory({ path: DATA, mode: "0750", owner: "mysql", group: "mysql" }),
    template({
      src: OPTIONS_TEMPLATE,
      dest: OPTIONS,
      vars: settings,
      // Clients of every user read this folder, unless a password is in there.
      mode: settings.sstPassword === null ? "0644" : "0640",
      owner: "root",
      group: "mysql",
      validate: refusing(sh`mariadbd --defaults-file="$KB_FILE"`),
    }),
  ];
}

/**
 * The server, under the package's unit.
 *
 * @param size how many members there are: a running one is not stopped while any other is missing
 * @param joined how many there are once this one is up
 */
export function nativeServer(size: number, joined: number, timeoutMs: number): readonly Task[] {
  return [
    service({
      name: "mariadb",
      state: "started",
      enabled: true,
      restartedAfter: [RESTART],
      // A transfer may fail; the unit tries again on its own.
      no_block: true,
      beforeStop: letGo("native", size),
      ready: { test: becomesSynced("native", joined), what: "the member to be Synced", timeoutMs },
    }),
  ];
}

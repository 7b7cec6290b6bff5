import { type Action, defineModule, exec, mapProbe, type Sh, sh, unmet } from "@keybuzz/runner";
import * as z from "zod";
import { beforeStop, guardStop } from "../params/before-stop.ts";
import { absolutePath } from "../params/params.ts";
import { ready, waitReady } from "../params/ready.ts";
import { unitName } from "../params/unit-name.ts";
import { type UnitRecord, unitRecord } from "../probes/units.ts";

const params = z
  .strictObject({
    name: unitName().describe("Unit, as `mariadb`, `ssh.service` or `backup.timer`; `.service` unless it has a suffix"),
    state: z.enum(["started", "stopped"]).optional().describe("Whether it runs; left as it is unless given"),
    enabled: z.boolean().optional().describe("Whether it is started at boot; left as it is unless given"),
    masked: z
      .boolean()
      .optional()
      .describe("Whether nothing can start it. A unit can be masked before the package that brings it is installed"),
    restartedAfter: z
      .array(absolutePath())
      .default([])
      .describe("Files and directories that the running unit must be younger than: it is restarted otherwise"),
    reloadedAfter: z
      .array(absolutePath())
      .default([])
      .describe(
        "Files and directories that must be older than its last start or successful reload: it is reloaded otherwise",
      ),
    no_block: z
      .boolean()
      .default(false)
      .describe("Only ask systemd to start or restart it, and let `ready` tell: for units that may need several tries"),
    beforeStop: beforeStop(),
    ready: ready("start, restart or reload"),
    timeoutMs: z
      .int()
      .positive()
      .default(300_000)
      .describe("Milliseconds that a start, stop, restart or reload may take"),
  })
  .refine(({ masked, state }) => !(masked === true && state === "started"), {
    path: ["masked"],
    message: "a masked unit cannot be started",
  });

type ServiceState = {
  readonly state: string;
  /** systemd's word: `enabled`, `disabled`, `static`, ... */
  readonly enabled: string;
  readonly masked: boolean;
  /** Paths that are newer than the running unit. */
  readonly restart_due: readonly string[];
  readonly reload_due: readonly string[];
};

type Given = z.output<typeof params>;

/**
 * A unit of systemd: whether it runs, is started at boot, and is younger than the files that it reads. A restart is no
 * event that a crash could lose: the unit's start is compared with the files' times, in every run.
 *
 * `state: "started"` suits units that stay active; a oneshot unit needs `RemainAfterExit=yes`. A unit of `Type=simple`
 * counts as started as soon as its process is forked, whatever becomes of it: give `ready` where that is too early.
 * @see https://www.freedesktop.org/software/systemd/man/latest/systemctl.html
 */
export const service = defineModule({
  name: "service",
  summary: "Start, stop, enable, mask, restart or reload a systemd unit",
  params,
  id: ({ name }) => name.replace(/\.service$/, ""),
  probe: (given) => {
    const { name, restartedAfter, reloadedAfter } = given;
    return mapProbe(unitRecord({ unit: name, restartedAfter, reloadedAfter }), (unit) => {
      if (unit.load === "loaded" || unit.load === "masked") return readUnit(unit);
      if (unit.load !== "not-found") {
        return unmet(`systemd cannot load ${name}: ${unit.load}`, `look at: systemctl status ${name}`);
      }
      if (mayBeMissing(given)) return readUnit(unit);
      return unmet(`there is no unit ${name}`, "add the apt or systemd_unit task that brings it");
    });
  },
  desired(given, current): ServiceState {
    const now = current ?? { state: "stopped", enabled: "disabled", masked: false, restart_due: [], reload_due: [] };
    return {
      state: wantedState(given.state, now.state),
      enabled: wantedEnablement(given.enabled, now.enabled),
      masked: given.masked ?? now.masked,
      restart_due: [],
      reload_due: [],
    };
  },
  plan({ params: given, current, wanted }) {
    const unit = given.name;
    const actions: Action[] = [];
    if (current?.masked === true && wanted?.masked === false)
      actions.push(exec(sh`systemctl unmask --quiet -- ${unit}`));
    if (wanted?.enabled !== (current?.enabled ?? "disabled")) {
      const verb = wanted?.enabled === "enabled" ? "enable" : "disable";
      actions.push(exec(sh`systemctl ${verb} --quiet -- ${unit}`));
    }
    const verb = verbFor(current, wanted);
    const ends = verb === "stop" || verb === "restart";
    actions.push(...guardStop(given.beforeStop, ends && current !== null && current.state !== "failed"));
    if (verb !== undefined) actions.push(exec(act(verb, unit, given.no_block), { timeoutMs: given.timeoutMs }));
    if (verb !== undefined && verb !== "stop") actions.push(...waitReady(given.ready, status(unit)));
    if (current?.masked !== true && wanted?.masked === true) actions.push(exec(sh`systemctl mask --quiet -- ${unit}`));
    // Check mode alone meets a unit that is still to come and of which nothing is asked.
    const [first = exec(sh`:`), ...rest] = actions;
    return [first, ...rest];
  },
  touches: ({ name }) => [`unit:${name}`],
  foresee(given, current, touched) {
    if (current === null || current.state !== "started") return current;
    const pending = (paths: readonly string[]): readonly string[] =>
      paths.filter((path) => touched.has(`file:${path}`));
    return {
      ...current,
      restart_due: union(current.restart_due, pending(given.restartedAfter)),
      reload_due: union(current.reload_due, pending(given.reloadedAfter)),
    };
  },
});

/** A unit that is not there neither runs nor is enabled, and can be masked all the same. */
function mayBeMissing({ state, enabled, masked }: Given): boolean {
  return state !== "started" && enabled !== true && (state === "stopped" || enabled === false || masked === true);
}

function readUnit(unit: UnitRecord): ServiceState {
  return {
    state: STATES[unit.active] ?? unit.active,
    enabled: unit.file.startsWith("masked") || unit.file === "" ? "disabled" : unit.file,
    masked: unit.load === "masked" || unit.file.startsWith("masked"),
    restart_due: unit.newerThanStart,
    reload_due: unit.newerThanReload,
  };
}

const STATES: Readonly<Record<string, string>> = {
  ...{ active: "started", reloading: "started", inactive: "stopped" },
  ...{ activating: "starting", deactivating: "stopping" },
};

/** A unit that failed does not run, which is all that `stopped` asks for. */
function wantedState(wanted: Given["state"], now: string): string {
  return wanted === undefined || (wanted === "stopped" && now === "failed") ? now : wanted;
}

/** Units without an `[Install]` section can be neither enabled nor disabled, and need not be. */
const FIXED = new Set(["static", "generated", "alias", "indirect", "transient"]);

function wantedEnablement(wanted: boolean | undefined, now: string): string {
  if (wanted === undefined || FIXED.has(now)) return now;
  return wanted ? "enabled" : "disabled";
}

function verbFor(
  current: ServiceState | null,
  wanted: ServiceState | null,
): "start" | "stop" | "restart" | "reload" | undefined {
  if (wanted === null) return undefined;
  if (wanted.state !== (current?.state ?? "stopped")) return wanted.state === "started" ? "start" : "stop";
  if (current === null) return undefined;
  if (current.restart_due.length > 0) return "restart";
  return current.reload_due.length > 0 ? "reload" : undefined;
}

/** What a person would look at when a unit does not come up. */
function status(unit: string): Sh {
  return sh`systemctl --no-pager --full --lines=30 status -- ${unit}`;
}

function act(verb: "start" | "stop" | "restart" | "reload", unit: string, noBlock: boolean): Sh {
  const option = noBlock && verb !== "stop" ? sh`--no-block ` : sh``;
  return sh`[ "$(systemctl show --property=NeedDaemonReload --value -- ${unit})" != yes ] || systemctl daemon-reload || exit
# A unit that failed too often in a row is not started again before its counter is reset.
${verb === "stop" ? sh`:` : sh`systemctl reset-failed -- ${unit} 2>/dev/null`}
systemctl ${verb} ${option}-- ${unit} || { kb_rc=$?; ${status(unit)} >&2; exit "$kb_rc"; }`;
}

function union(some: readonly string[], others: readonly string[]): readonly string[] {
  return [...new Set([...some, ...others])];
}

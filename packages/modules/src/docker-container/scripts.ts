import { type ExecAction, exec, Secret, type Sh, sh, shLines } from "@keybuzz/runner";
import { standIns } from "../probes/docker.ts";
import { type Settings, SPEC_LABEL } from "./spec.ts";

/** What a new container is made from. */
export interface Creation {
  readonly name: string;
  readonly image: string;
  readonly settings: Settings;
  readonly spec: string;
}

const HERE = sh`kb_here() { docker container inspect --format . -- "$1" >/dev/null 2>&1; }`;

/** Has the image, and makes the new container beside the old one: what fails here leaves the old one alone. */
export function createAction({ name, image, settings, spec }: Creation): ExecAction {
  const { next } = standIns(name);
  const env = Object.entries(settings.env ?? {});
  const words = [
    ...["--name", next, "--label", `${SPEC_LABEL}=${spec}`, "--restart", "no"],
    // Not as arguments, which every user of the host can read.
    ...(env.length === 0 ? [] : ["--env-file", "/dev/stdin"]),
    ...settingOptions(settings),
  ];
  const script = shLines([
    HERE,
    sh`docker image inspect --format . -- ${image} >/dev/null 2>&1 || docker pull ${image} || exit 1`,
    sh`! kb_here ${next} || docker rm --force -- ${next} >/dev/null || exit 1`,
    sh`docker create ${words} -- ${image} ${settings.command ?? []} >/dev/null`,
  ]);
  const input = env.length === 0 ? {} : { stdin: envFile(env) };
  return exec(script, {
    ...input,
    timeoutMs: 900_000,
    what: `docker create ${image}, pulled first where it is missing`,
  });
}

function envFile(env: readonly (readonly [string, string | Secret])[]): string | Secret {
  const text = env.map(([name, value]) => `${name}=${value instanceof Secret ? value.reveal() : value}\n`).join("");
  return env.some(([, value]) => value instanceof Secret) ? new Secret(text) : text;
}

function settingOptions(settings: Settings): readonly string[] {
  const each = (option: string, values: readonly string[] | undefined): readonly string[] =>
    (values ?? []).flatMap((value) => [option, value]);
  return [
    ...each("--entrypoint", settings.entrypoint),
    ...each("--network", settings.network_mode === undefined ? [] : [settings.network_mode]),
    ...each("--volume", settings.volumes),
    ...each("--tmpfs", settings.tmpfs),
    ...each(
      "--ulimit",
      settings.ulimits?.map((limit) => limit.replace(":", "=")),
    ),
    ...each("--user", settings.user === undefined ? [] : [settings.user]),
    ...each(
      "--label",
      Object.entries(settings.labels ?? {}).map(([name, value]) => `${name}=${value}`),
    ),
    ...each("--cap-add", settings.capabilities),
    ...each("--cap-drop", settings.cap_drop),
    ...each("--stop-timeout", settings.stop_timeout === undefined ? [] : [String(settings.stop_timeout)]),
    ...healthOptions(settings.healthcheck),
  ];
}

function healthOptions(check: Settings["healthcheck"]): readonly string[] {
  if (check === undefined) return [];
  if (check === "none") return ["--no-healthcheck"];
  const time = (option: string, ms: number): readonly string[] => (ms === 0 ? [] : [option, `${ms}ms`]);
  return [
    ...["--health-cmd", check.test],
    ...time("--health-interval", check.intervalMs),
    ...time("--health-timeout", check.timeoutMs),
    ...time("--health-start-period", check.startPeriodMs),
    ...(check.retries === 0 ? [] : ["--health-retries", String(check.retries)]),
  ];
}

/**
 * Puts the new container in the old one's place. The old one is kept, under another name and without a restart policy,
 * until the new one has started; where that fails, it comes back. Killed half-way, it leaves names behind that the next
 * run sees.
 */
export function swapAction(name: string, policy: string, start: boolean, stopSeconds: number | undefined): ExecAction {
  const { next, previous } = standIns(name);
  const script = shLines([
    HERE,
    sh`kb_policy= kb_ran=
if kb_here ${name}; then
  ! kb_here ${previous} || docker rm --force -- ${previous} >/dev/null || exit 1
  kb_policy=$(docker container inspect --format '{{.HostConfig.RestartPolicy.Name}}:{{.HostConfig.RestartPolicy.MaximumRetryCount}}' -- ${name}) || exit 1
  kb_ran=$(docker container inspect --format '{{.State.Running}}' -- ${name}) || exit 1
  docker stop ${stopOption(stopSeconds)} -- ${name} >/dev/null && docker update --restart no -- ${name} >/dev/null &&
    docker rename ${name} ${previous} || exit 1
fi
docker rename ${next} ${name} && docker update --restart ${policy} -- ${name} >/dev/null || exit 1`,
    start ? startOrRestore(name, previous) : sh`:`,
    sh`! kb_here ${previous} || docker rm --force -- ${previous} >/dev/null`,
  ]);
  return exec(script, {
    timeoutMs: stopLimitMs(stopSeconds),
    what: `docker rename ${next} ${name}, the old one stopped`,
  });
}

function startOrRestore(name: string, previous: string): Sh {
  return sh`docker start -- ${name} >/dev/null || {
  docker rm --force -- ${name} >/dev/null
  if kb_here ${previous}; then
    docker rename ${previous} ${name} || exit 1
    [ -z "$kb_policy" ] || docker update --restart "\${kb_policy%:0}" -- ${name} >/dev/null
    [ "$kb_ran" = false ] || docker start -- ${name} >/dev/null
    echo "the new container did not start; the old one was put back" >&2
  fi
  exit 1
}`;
}

/** Removes containers, each stopped as gently as it asks for. Their volumes stay. */
export function removeAction(names: readonly string[], stopSeconds: number | undefined): ExecAction {
  const script = shLines([
    HERE,
    sh`for kb_name in ${names}; do
  kb_here "$kb_name" || continue
  docker stop ${stopOption(stopSeconds)} -- "$kb_name" >/dev/null && docker rm --force -- "$kb_name" >/dev/null || exit 1
done`,
  ]);
  return exec(script, { timeoutMs: stopLimitMs(stopSeconds), what: `docker rm ${names.join(" ")}` });
}

/** Starts, stops or restarts a container that stays the same. */
export function stateAction(
  verb: "start" | "unpause" | "stop" | "restart",
  name: string,
  stopSeconds: number | undefined,
): ExecAction {
  const option = verb === "stop" || verb === "restart" ? stopOption(stopSeconds) : [];
  return exec(sh`docker ${[verb, ...option]} -- ${name} >/dev/null`, { timeoutMs: stopLimitMs(stopSeconds) });
}

/** The container's own stop time-out unless the task gives one. */
function stopOption(seconds: number | undefined): readonly string[] {
  return seconds === undefined ? [] : ["--time", String(seconds)];
}

function stopLimitMs(seconds: number | undefined): number {
  return 600_000 + (seconds ?? 0) * 1000;
}

/** What a person would look at when a container does not come up; lines that name a password are left out. */
export function lastWords(name: string): Sh {
  return sh`docker ps --all --filter name=${`^/${name}$`} --format '{{.Names}}: {{.Status}}'
docker logs --tail 40 -- ${name} 2>&1 | grep -vi -e passw -e secret`;
}

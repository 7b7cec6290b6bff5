import {
  type Action,
  defineModule,
  equalValues,
  exec,
  type Probe,
  probeAll,
  sh,
  type Unmet,
  unmet,
  type Value,
} from "@keybuzz/runner";
import * as z from "zod";
import { fileText } from "../probes/file-text.ts";
import { unitRecord } from "../probes/units.ts";

const FILE = "/etc/docker/daemon.json";
const UNIT = "docker.service";

const params = z.strictObject({
  daemon: z
    .record(z.string(), z.json())
    .default({})
    .describe("Keys of /etc/docker/daemon.json and their values; null removes a key, other keys are left alone"),
  timeoutMs: z.int().positive().default(300_000).describe("Milliseconds that a start, restart or reload may take"),
});

type EngineState = {
  readonly daemon: { readonly [key: string]: Value };
  readonly state: string;
  readonly enabled: string;
  /** Whether the file is newer than what dockerd last read of it. */
  readonly outdated: boolean;
};

/**
 * Keys that dockerd takes over while it runs; for any other it has to be restarted, and its containers with it unless
 * `live-restore` is on.
 * @see https://docs.docker.com/reference/cli/dockerd/#configuration-reload-behavior
 */
const RELOADABLE = new Set([
  ...["debug", "labels", "live-restore", "max-concurrent-downloads", "max-concurrent-uploads", "max-download-attempts"],
  ...["default-runtime", "runtimes", "authorization-plugins", "insecure-registries", "registry-mirrors"],
  ...["shutdown-timeout", "features"],
]);

/**
 * dockerd's configuration, and that it runs with it, now and at boot. The package is `apt`'s part: docker.io, or docker-ce
 * from Docker's own repository. A new file is checked by dockerd itself before it takes the old one's place.
 *
 * @see https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file
 */
export const dockerEngine = defineModule({
  name: "docker_engine",
  summary: "Configure dockerd and keep it running",
  params,
  id: () => "dockerd",
  probe(): Probe<EngineState | Unmet> {
    const parts = probeAll({ text: fileText(FILE), unit: unitRecord({ unit: UNIT, reloadedAfter: [FILE] }) });
    return {
      questions: parts.questions,
      parse(outputs) {
        const { text, unit } = parts.parse(outputs);
        if (unit.load === "not-found") {
          return unmet("docker is not installed", 'add apt({ name: ["docker.io", "docker-cli"] }) before it');
        }
        return {
          daemon: parseConfig(text),
          state: unit.active === "active" || unit.active === "reloading" ? "started" : unit.active,
          enabled: unit.file,
          outdated: unit.newerThanReload.length > 0,
        };
      },
    };
  },
  desired(given, current): EngineState {
    return {
      daemon: merge(current?.daemon ?? {}, given.daemon),
      state: "started",
      enabled: "enabled",
      outdated: false,
    };
  },
  plan({ params: { timeoutMs }, current, wanted }) {
    const [before, after] = [current?.daemon ?? {}, wanted?.daemon ?? {}];
    const changed = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
      (key) => !equalValues(before[key], after[key]),
    );
    const actions: Action[] = [];
    if (changed.length > 0) {
      actions.push(exec(sh`mkdir -p -m 0755 /etc/docker`), {
        ...{
          kind: "write",
          path: FILE,
          content: `${JSON.stringify(after, null, 2)}\n`,
          mode: "0644",
          owner: "root",
          group: "root",
        },
        validate: sh`dockerd --validate --config-file "$KB_FILE" >&2`,
      });
    }
    if (current?.enabled !== "enabled") actions.push(exec(sh`systemctl enable --quiet ${UNIT}`));
    // Which keys of an outdated file dockerd has not read is not known after the fact.
    const reload = current?.outdated === false && changed.every((key) => RELOADABLE.has(key));
    const verb = reload ? "reload" : "restart";
    if (current?.state !== "started") actions.push(exec(act("start"), { timeoutMs }));
    else if (changed.length > 0 || current.outdated) actions.push(exec(act(verb), { timeoutMs }));
    const [first = exec(act(verb), { timeoutMs }), ...rest] = actions;
    return [first, ...rest];
  },
  touches: () => [`unit:${UNIT}`, `file:${FILE}`],
});

function parseConfig(text: string | null): { readonly [key: string]: Value } {
  if (text === null || text.trim() === "") return {};
  const result = z.record(z.string(), z.json()).safeParse(parseJson(text));
  if (!result.success) throw new Error(`${FILE} is no JSON object, so dockerd cannot read it either`);
  return result.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`${FILE} is no JSON: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

function merge(
  current: { readonly [key: string]: Value },
  given: { readonly [key: string]: Value },
): { readonly [key: string]: Value } {
  return Object.fromEntries(Object.entries({ ...current, ...given }).filter(([, value]) => value !== null));
}

function act(verb: "start" | "restart" | "reload") {
  return sh`systemctl reset-failed ${UNIT} 2>/dev/null
systemctl ${verb} ${UNIT} || { kb_rc=$?; systemctl --no-pager --full --lines=30 status ${UNIT} >&2; exit "$kb_rc"; }`;
}

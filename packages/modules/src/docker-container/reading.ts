import { Secret } from "@keybuzz/runner";
import { familiarRef } from "../params/image-ref.ts";
import type { ContainerReading, ContainerRecord, ImageRecord } from "../probes/docker.ts";
import type { Given } from "./params.ts";
import {
  dropOpen,
  type Healthcheck,
  normaliseCapability,
  normaliseTmpfs,
  normaliseVolume,
  type Settings,
  SPEC_LABEL,
  wantedSettings,
} from "./spec.ts";

/** State of a container. Without a container only `state`, `image_here` and `leftovers` are there. */
export type ContainerState = Settings & {
  readonly state: string;
  /** Name and short id of the image that it was made from. */
  readonly image?: string;
  /** Short id of the image that the task names, `none` where the host has none of that name. */
  readonly image_here: string;
  readonly restart_policy?: string;
  /** Fingerprint of what it was made from, as its label records it. */
  readonly spec?: string;
  /** Paths that are newer than the running container. */
  readonly restart_due?: readonly string[];
  /** Containers that an interrupted replacement left behind. */
  readonly leftovers: readonly string[];
};

/** Reads a container as far as a task declares it; what the task leaves open is not looked at. */
export function readContainer(given: Given, reading: ContainerReading, image: ImageRecord | null): ContainerState {
  const { container, leftovers, newerThanStart, processGone } = reading;
  const here = image === null ? "none" : shortId(image.id);
  if (container === null) return { state: "absent", image_here: here, leftovers };
  const { config, host, status } = container;
  const { Name: policy, MaximumRetryCount: retries } = host.RestartPolicy;
  return {
    state: processGone ? "said to run, but its process is gone" : (STATES[status] ?? status),
    image: nameImage(familiarRef(config.Image), shortId(container.image)),
    image_here: here,
    ...liveSettings(wantedSettings(given), container, image),
    restart_policy: retries > 0 ? `${policy}:${retries}` : policy || "no",
    spec: config.Labels?.[SPEC_LABEL] ?? "made by hand",
    restart_due: newerThanStart,
    leftovers,
  };
}

const STATES: Readonly<Record<string, string>> = {
  running: "started",
  created: "stopped",
  exited: "stopped",
  dead: "stopped",
};

/** An image's name with its short id, as states show it. */
export function nameImage(ref: string, id: string): string {
  return `${ref} (${id})`;
}

function shortId(id: string): string {
  return id.replace(/^sha256:/, "").slice(0, 12);
}

/** The fields that are wanted, as they are. */
function liveSettings(wanted: Settings, { config, host, image }: ContainerRecord, known: ImageRecord | null): Settings {
  const all: Required<Settings> = {
    entrypoint: config.Entrypoint ?? [],
    command: config.Cmd ?? [],
    env: liveEnv(wanted.env ?? {}, config.Env ?? [], known?.id === image ? known.env : undefined),
    network_mode: host.NetworkMode === "default" ? "bridge" : host.NetworkMode,
    volumes: (host.Binds ?? []).map(normaliseVolume).toSorted(),
    tmpfs: Object.entries(host.Tmpfs ?? {})
      .map(([target, options]) => normaliseTmpfs(options === "" ? target : `${target}:${options}`))
      .toSorted(),
    ulimits: liveUlimits(wanted.ulimits ?? [], host.Ulimits ?? []),
    user: config.User,
    labels: Object.fromEntries(
      Object.keys(wanted.labels ?? {}).flatMap((name) => {
        const value = config.Labels?.[name];
        return value === undefined ? [] : [[name, value]];
      }),
    ),
    capabilities: (host.CapAdd ?? []).map(normaliseCapability).toSorted(),
    cap_drop: (host.CapDrop ?? []).map(normaliseCapability).toSorted(),
    healthcheck: liveHealthcheck(config.Healthcheck),
    stop_timeout: config.StopTimeout ?? 10,
  };
  return dropOpen(Object.fromEntries(Object.entries(all).filter(([name]) => name in wanted)));
}

/**
 * The variables that are wanted, and those that come neither from the task nor from the image: somebody made the container
 * by hand. What those hold is nobody's business, and may be a secret.
 */
function liveEnv(
  wanted: NonNullable<Settings["env"]>,
  live: readonly string[],
  image: readonly string[] | undefined,
): NonNullable<Settings["env"]> {
  const own = live.filter((item) => item.slice(0, item.indexOf("=")) in wanted || image?.includes(item) === false);
  return Object.fromEntries(
    own.map((item) => {
      const [name, value] = [item.slice(0, item.indexOf("=")), item.slice(item.indexOf("=") + 1)];
      const open = name in wanted && !(wanted[name] instanceof Secret);
      return [name, open ? value : new Secret(value)];
    }),
  );
}

/** dockerd adds its `default-ulimits`: only those that the task names are compared. */
function liveUlimits(
  wanted: readonly string[],
  live: readonly { readonly Name: string; readonly Soft: number; readonly Hard: number }[],
): readonly string[] {
  const names = new Set(wanted.map((limit) => limit.split(":")[0]));
  return live
    .filter(({ Name }) => names.has(Name))
    .map(({ Name, Soft, Hard }) => `${Name}:${Soft}:${Hard}`)
    .toSorted();
}

function liveHealthcheck(live: ContainerRecord["config"]["Healthcheck"]): Healthcheck | "none" {
  const [kind, ...words] = live?.Test ?? [];
  if (live === null || live === undefined || kind === "NONE") return "none";
  const [intervalMs, timeoutMs, startPeriodMs] = [live.Interval, live.Timeout, live.StartPeriod].map((ns) => ns / 1e6);
  return {
    test: words.join(" "),
    intervalMs: intervalMs ?? 0,
    timeoutMs: timeoutMs ?? 0,
    startPeriodMs: startPeriodMs ?? 0,
    retries: live.Retries,
  };
}

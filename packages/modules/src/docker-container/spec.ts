import { createHash } from "node:crypto";
import { Secret, type Value } from "@keybuzz/runner";
import type { Given } from "./params.ts";

/** The label that records what a container was made from. */
export const SPEC_LABEL = "io.keybuzz.spec";

/** What is compared of a container, each field as Docker itself shows it. A field that a task leaves open is left out. */
export type Settings = {
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly env?: { readonly [name: string]: string | Secret };
  readonly network_mode?: string;
  readonly volumes?: readonly string[];
  readonly tmpfs?: readonly string[];
  readonly ulimits?: readonly string[];
  readonly user?: string;
  readonly labels?: { readonly [name: string]: string };
  readonly capabilities?: readonly string[];
  readonly cap_drop?: readonly string[];
  readonly healthcheck?: Healthcheck | "none";
  readonly stop_timeout?: number;
};

/** Milliseconds; zero stands for Docker's own default. */
export type Healthcheck = {
  readonly test: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly startPeriodMs: number;
  readonly retries: number;
};

/** The settings that a task declares, in Docker's own spelling. */
export function wantedSettings(given: Given): Settings {
  const { command, entrypoint, user, stop_timeout } = given;
  const process = splitProcess(entrypoint, command);
  return dropOpen({
    ...process,
    env: given.env,
    network_mode: given.network_mode,
    volumes: given.volumes?.map(normaliseVolume).toSorted(),
    tmpfs: given.tmpfs?.map(normaliseTmpfs).toSorted(),
    ulimits: given.ulimits?.map(normaliseUlimit).toSorted(),
    user,
    labels: given.labels,
    capabilities: given.capabilities?.map(normaliseCapability).toSorted(),
    cap_drop: given.cap_drop?.map(normaliseCapability).toSorted(),
    healthcheck: given.healthcheck,
    stop_timeout,
  });
}

/** `docker create --entrypoint` takes one word: what else an entrypoint has goes before the command. */
function splitProcess(
  entrypoint: readonly string[] | undefined,
  command: readonly string[] | undefined,
): { readonly entrypoint?: readonly string[] | undefined; readonly command?: readonly string[] | undefined } {
  if (entrypoint === undefined) return { command };
  const [program, ...words] = entrypoint;
  return { entrypoint: program === undefined ? [] : [program], command: [...words, ...(command ?? [])] };
}

/**
 * A fingerprint of all that a container is made from but its restart policy, which can be set while it runs. Secrets are
 * compared by their values in the container, and have no part in it: a label can be read by more people.
 */
export function specDigest(image: string, settings: Settings): string {
  const env =
    settings.env && Object.fromEntries(Object.entries(settings.env).map(([name, value]) => [name, plain(value)]));
  const text = JSON.stringify(sortKeys({ version: 1, image, ...settings, ...(env === undefined ? {} : { env }) }));
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}

function plain(value: string | Secret): string | null {
  return value instanceof Secret ? null : value;
}

function sortKeys(value: Value | { readonly [key: string]: Value | undefined }): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== "object" || value === null || value instanceof Secret) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, item]) => [key, item === undefined ? undefined : sortKeys(item)]),
  );
}

/** Leaves out what is undefined. */
export function dropOpen<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  // Object.fromEntries forgets which name goes with which type.
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}

/** `SOURCE:TARGET[:OPTIONS]`, options in order; `rw` is what a volume is anyway. */
export function normaliseVolume(text: string): string {
  const [source = "", target = "", options = ""] = text.split(":");
  const kept = options.split(",").filter((option) => option !== "" && option !== "rw");
  return [source, target, ...(kept.length === 0 ? [] : [kept.toSorted().join(",")])].join(":");
}

/** `TARGET[:OPTIONS]`, options in order. */
export function normaliseTmpfs(text: string): string {
  const [target = "", options = ""] = text.split(":");
  return options === "" ? target : `${target}:${options.split(",").toSorted().join(",")}`;
}

/** `NAME:SOFT:HARD`; one number stands for both. */
export function normaliseUlimit(text: string): string {
  const [name = "", soft = "", hard = soft] = text.split(":");
  return `${name}:${soft}:${hard}`;
}

/** capabilities(7) without their `CAP_`. */
export function normaliseCapability(text: string): string {
  return text.toUpperCase().replace(/^CAP_/, "");
}

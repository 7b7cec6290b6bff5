import {
  askBatch,
  type Batch,
  type Output,
  type Probe,
  type Sh,
  sh,
  shLines,
  type Touched,
  type Unmet,
  unmet,
} from "@keybuzz/runner";
import * as z from "zod";
import { takeLines } from "./lines.ts";

/** An image on the host. */
export interface ImageRecord {
  /** `sha256:...` of its configuration. */
  readonly id: string;
  /** `sha256:...` by which its registry knows it; undefined where it was built or loaded here. */
  readonly digest: string | undefined;
  /** `NAME=value`, as the image sets them. */
  readonly env: readonly string[];
}

/**
 * Prints one word a key and ends, where Docker cannot be asked. A client that connects to the socket of a stopped dockerd
 * would start it by socket activation: a question must not.
 */
function unlessAsleep(count: number): Sh {
  const answers = Array<string>(count).fill("x");
  return sh`kb_no() { for kb_key in ${answers}; do printf '%s\n' "$1"; done; exit 0; }
command -v docker >/dev/null || kb_no missing
[ -e /run/docker.pid ] || ! systemctl is-active --quiet docker.socket || kb_no asleep
kb_failed() { case $1 in *"Cannot connect to the Docker daemon"*) kb_no asleep ;; esac; printf '%s\n' "$1" >&2; exit 1; }`;
}

function refusal({ stdout }: Output): Unmet | undefined {
  const word = stdout.trimEnd();
  if (word === "missing")
    return unmet("docker is not installed", 'add apt({ name: ["docker.io", "docker-cli"] }) before it');
  if (word === "asleep")
    return unmet("dockerd does not run", "add docker_engine({}) before it, or look at: systemctl status docker");
  return undefined;
}

/**
 * Whether a stopped dockerd is still to be started, so that what it has cannot be known yet. Where its package is still to
 * come too, it has nothing.
 */
export function isStillAsleep(touched: Touched): boolean {
  const packages = ["package:docker.io", "package:docker-ce"];
  return touched.has("unit:docker.service") && !packages.some((name) => touched.has(name));
}

const IMAGE_FORMAT = '{"id":{{json .Id}},"digests":{{json .RepoDigests}},"env":{{json .Config.Env}}}';
const IMAGE = z.object({
  id: z.string(),
  digests: z.array(z.string()).nullable(),
  env: z.array(z.string()).nullable(),
});

/** All in one call where all are there; one by one otherwise, since what is missing leaves no line behind. */
const IMAGES: Batch = {
  name: "docker-images",
  render: (refs) => ({
    script: shLines([
      unlessAsleep(refs.length),
      sh`kb_all=$(docker image inspect --format ${IMAGE_FORMAT} -- ${refs} 2>/dev/null) && { printf '%s\n' "$kb_all"; exit 0; }
for kb_ref in ${refs}; do
  if kb_one=$(docker image inspect --format ${IMAGE_FORMAT} -- "$kb_ref" 2>&1); then printf '%s\n' "$kb_one"
  else case $kb_one in *"No such image"*) echo - ;; *) kb_failed "$kb_one" ;; esac
  fi
done`,
    ]),
  }),
  split: (stdout, refs) => takeLines(stdout, refs.length),
};

/** An image that the host has; `null` where it has none of that name. */
export function imageRecord(ref: string): Probe<ImageRecord | null | Unmet> {
  return askBatch(IMAGES, ref, (output) => {
    const refused = refusal(output);
    if (refused !== undefined) return refused;
    if (output.exitCode === 0 && output.stdout === "-\n") return null;
    const { id, digests, env } = parseAnswer(IMAGE, output.stdout, `docker image inspect ${ref}`, output);
    const repository = ref.replace(/@.*$/, "").replace(/:[^/:]+$/, "");
    const own = digests?.find((digest) => digest.startsWith(`${repository}@`)) ?? digests?.[0];
    return { id, digest: own?.split("@")[1], env: env ?? [] };
  });
}

const CONTAINER_FORMAT =
  '{{.State.StartedAt}} {{.State.Pid}} {"status":{{json .State.Status}},"image":{{json .Image}},"config":{{json .Config}},"host":{{json .HostConfig}}}';

const CONTAINER = z.object({
  status: z.string(),
  image: z.string(),
  config: z.object({
    Image: z.string(),
    User: z.string(),
    Env: z.array(z.string()).nullable(),
    Cmd: z.array(z.string()).nullable(),
    Entrypoint: z.array(z.string()).nullable(),
    Labels: z.record(z.string(), z.string()).nullable(),
    StopTimeout: z.int().nullish(),
    Healthcheck: z
      .object({
        Test: z.array(z.string()).nullish(),
        Interval: z.number().default(0),
        Timeout: z.number().default(0),
        StartPeriod: z.number().default(0),
        Retries: z.int().default(0),
      })
      .nullish(),
  }),
  host: z.object({
    Binds: z.array(z.string()).nullable(),
    NetworkMode: z.string(),
    RestartPolicy: z.object({ Name: z.string(), MaximumRetryCount: z.int() }),
    CapAdd: z.array(z.string()).nullable(),
    CapDrop: z.array(z.string()).nullable(),
    Tmpfs: z.record(z.string(), z.string()).nullish(),
    Ulimits: z.array(z.object({ Name: z.string(), Soft: z.int(), Hard: z.int() })).nullable(),
  }),
});

/** A container as `docker inspect` tells it, as far as modules look at it. */
export type ContainerRecord = z.output<typeof CONTAINER>;

/** A container with those that an interrupted replacement left beside it. */
export interface ContainerReading {
  readonly container: ContainerRecord | null;
  /** Whether it is said to run, and its process is not there. */
  readonly processGone: boolean;
  readonly leftovers: readonly string[];
  /** Those of the paths asked for that are newer than the running container's start. */
  readonly newerThanStart: readonly string[];
}

/** The name that a new container has until it takes the old one's place, and the one that the old one then has. */
export function standIns(name: string): { readonly next: string; readonly previous: string } {
  return { next: `${name}.kb-new`, previous: `${name}.kb-old` };
}

type ContainerQuestion = { readonly name: string; readonly restartedAfter: readonly string[] };

/**
 * One `docker ps` to know which are there, one `docker inspect` for those, one find(1) for each list of paths. A part is
 * `NAME JSON` for the container and each left-over, `gone NAME` after one whose process is not there, `newer PATH` for
 * each newer path, and a dot.
 */
const CONTAINERS: Batch = {
  name: "docker-containers",
  render: (keys) => {
    const questions = keys.map((key) => JSON.parse(key) as ContainerQuestion);
    const names = questions.flatMap(({ name }) => [name, standIns(name).next, standIns(name).previous]);
    return {
      script: shLines([
        unlessAsleep(keys.length),
        sh`kb_names=$(docker ps --all --format '{{.Names}}' 2>&1) || kb_failed "$kb_names"
kb_here() { case "
$kb_names
" in *"
$1
"*) ;; *) return 1 ;; esac; }
set --
for kb_name in ${names}; do ! kb_here "$kb_name" || set -- "$@" "$kb_name"; done
kb_all=
[ $# -eq 0 ] || kb_all=$(docker inspect --type container --format ${CONTAINER_FORMAT} -- "$@") || exit 1
exec 3<<KB_EOF
$kb_all
KB_EOF
kb_next() {
  kb_start=; kb_here "$1" || return 0
  IFS=' ' read -r kb_start kb_pid kb_json <&3
  printf '%s %s\n' "$1" "$kb_json"
  # dockerd can miss the end of a container that outlived a restart of its own (live-restore).
  [ "$kb_pid" = 0 ] || [ -d "/proc/$kb_pid" ] || printf 'gone %s\n' "$1"
}
kb_newer() {
  case $kb_json in '{"status":"running"'*) ;; *) return 0 ;; esac
  for kb_path do shift; [ ! -e "$kb_path" ] || set -- "$@" "$kb_path"; done
  [ $# -gt 0 ] || return 0
  kb_found=$(find -L "$@" -newermt "$kb_start" -printf 'newer %H\n') || exit 1
  [ -z "$kb_found" ] || printf '%s\n' "$kb_found" | uniq
}`,
        ...questions.map(({ name, restartedAfter }) => {
          const { next, previous } = standIns(name);
          const newer = restartedAfter.length === 0 ? sh`:` : sh`[ -z "$kb_start" ] || kb_newer ${restartedAfter}`;
          return shLines([sh`kb_next ${name}`, newer, sh`kb_next ${next}; kb_next ${previous}; echo .`]);
        }),
      ]),
    };
  },
  split: (stdout, keys) => {
    if (/^(missing|asleep)$/m.test(stdout.split("\n")[0] ?? "")) return takeLines(stdout, keys.length);
    const parts = stdout.split(/(?<=^\.\n)/m);
    return keys.map((_, index) => parts[index] ?? "");
  },
};

/**
 * A container and what an interrupted replacement left of it. Paths may be directories, which count with all that is
 * below them.
 * @see https://docs.docker.com/reference/cli/docker/container/inspect/
 */
export function containerReading(name: string, restartedAfter: readonly string[]): Probe<ContainerReading | Unmet> {
  return askBatch(CONTAINERS, JSON.stringify({ name, restartedAfter }), (output) => {
    const refused = refusal(output);
    if (refused !== undefined) return refused;
    const lines = output.stdout.split("\n").slice(0, -2);
    if (output.exitCode !== 0 || !output.stdout.endsWith(".\n")) {
      throw new Error(
        `docker could not tell about container ${name}: ${output.stderr.trim() || "its answer was cut off"}`,
      );
    }
    const { next, previous } = standIns(name);
    const own = lines.find((line) => line.startsWith(`${name} `));
    return {
      container:
        own === undefined ? null : parseAnswer(CONTAINER, own.slice(name.length + 1), `docker inspect ${name}`, output),
      processGone: lines.includes(`gone ${name}`),
      leftovers: [next, previous].filter((other) => lines.some((line) => line.startsWith(`${other} `))),
      newerThanStart: lines.filter((line) => line.startsWith("newer ")).map((line) => line.slice(6)),
    };
  });
}

function parseAnswer<T>(schema: z.ZodType<T>, text: string, asked: string, { stderr, exitCode }: Output): T {
  if (exitCode !== 0) throw new Error(`${asked} failed: ${stderr.trim()}`);
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    // The answer itself may hold secrets: it is not repeated.
    throw new Error(`${asked} answered in a form that is not understood`, { cause });
  }
}

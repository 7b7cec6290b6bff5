import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import type { MachinePackages } from "../apt/machine.ts";
import { createMirror } from "../apt/mirror.ts";
import { endCgroup, labCgroup, makeCgroup } from "../cgroup.ts";
import { command } from "../command.ts";
import { LabError, messageOf } from "../errors.ts";
import { readHostRecord } from "../host/file-system.ts";
import { basesDir, hostsOnDisk, labNames, labRoot, makePrivateDir } from "../lab-dir.ts";
import { withLock } from "../lock.ts";
import { unmountBelow } from "../mounts.ts";
import type { Steps } from "../steps.ts";
import { type BaseRecipe, baseRecipe, recipeHash } from "./recipe.ts";

const DEBOOTSTRAP_TIMEOUT_MS = 15 * 60_000;
const INSTALL_TIMEOUT_MS = 30 * 60_000;

/** A build that another process has begun may take this long. */
const BUILD_WAIT_MS = 45 * 60_000;
/** A base that no host stands on is kept for so long after its last use: another checkout may want it. */
const UNUSED_BASE_MS = 60 * 60_000;

/**
 * The base system's directory, built first if this recipe never was: in a directory beside it, which is renamed when
 * it is whole, so that a base that exists is complete.
 *
 * @throws {LabError} naming the log of the build that failed.
 */
export async function ensureBase(packages: MachinePackages, steps: Steps): Promise<string> {
  const recipe = baseRecipe(packages.mirror);
  const base = join(basesDir(), recipeHash(recipe));
  makePrivateDir(basesDir());
  await withLock("base-system", () => buildUnlessThere(base, recipe, packages, steps), BUILD_WAIT_MS);
  return base;
}

async function buildUnlessThere(
  base: string,
  recipe: BaseRecipe,
  packages: MachinePackages,
  steps: Steps,
): Promise<void> {
  const now = new Date();
  if (existsSync(base)) return utimesSync(base, now, now);
  await clearBases();
  const logFile = `${base}.log`;
  rmSync(logFile, { force: true });
  makeCgroup(buildCgroup());
  const mirror = createMirror(packages.mirrorOptions);
  await new Promise<void>((resolve, reject) => mirror.once("error", reject).listen(0, "127.0.0.1", resolve));
  const proxy = `http://127.0.0.1:${(mirror.address() as AddressInfo).port}`;
  const draft = `${base}${DRAFT}`;
  try {
    await buildBase({ draft, recipe, proxy, logFile }, steps);
    renameSync(draft, base);
  } catch (cause) {
    throw new LabError(`the base system could not be built: ${messageOf(cause)}\nIts log is ${logFile}`, { cause });
  } finally {
    mirror.closeAllConnections();
    mirror.close();
    await removeDraft(draft);
  }
}

const DRAFT = ".draft";

/** Where all programs of a build run, one group a `KB_LAB_DIR`. No lab has this name: it holds a hyphen. */
function buildCgroup(): string {
  return labCgroup(`base-system-${createHash("sha256").update(labRoot()).digest("hex").slice(0, 8)}`);
}

/** End and remove what a build left that was interrupted, and bases that nothing needs any more. */
async function clearBases(): Promise<void> {
  await endCgroup(buildCgroup());
  const used = new Set(labNames().flatMap((lab) => hostsOnDisk(lab).map((host) => readHostRecord(lab, host)?.base)));
  for (const name of readdirSync(basesDir())) {
    const path = join(basesDir(), name);
    if (name.endsWith(DRAFT)) await removeDraft(path);
    else if (!used.has(path) && Date.now() - statSync(path).mtimeMs > UNUSED_BASE_MS) {
      rmSync(path, { recursive: true, force: true });
    }
  }
}

async function removeDraft(draft: string): Promise<void> {
  await endCgroup(buildCgroup());
  // debootstrap mounts /proc in it, which must not be removed with it.
  await unmountBelow(draft);
  rmSync(draft, { recursive: true, force: true });
}

interface Build {
  readonly draft: string;
  readonly recipe: BaseRecipe;
  /** The caching mirror, spoken to as a proxy. */
  readonly proxy: string;
  readonly logFile: string;
}

async function buildBase(build: Build, steps: Steps): Promise<void> {
  const { draft, recipe, proxy, logFile } = build;
  await steps.step(`base system: debootstrap of Debian ${recipe.suite}`, () =>
    command(["debootstrap", "--variant=minbase", recipe.suite, draft, recipe.mirror.main], {
      timeoutMs: DEBOOTSTRAP_TIMEOUT_MS,
      env: { http_proxy: proxy },
      logFile,
      cgroupDir: buildCgroup(),
    }),
  );
  for (const [path, text] of Object.entries(recipe.files)) {
    mkdirSync(dirname(join(draft, path)), { recursive: true });
    writeFileSync(join(draft, path), text);
  }
  await steps.step(`base system: install ${recipe.packages.length} packages`, async () => {
    await aptGet(build, ["update"]);
    await aptGet(build, ["dist-upgrade"]);
    await aptGet(build, ["install", "--no-install-recommends", ...recipe.packages]);
  });
  await steps.step(`base system: fetch ${recipe.fetched.length} packages that roles install`, () =>
    // With recommended packages: a superset of what any role asks for.
    aptGet(build, ["install", "--download-only", ...recipe.fetched]),
  );
  for (const unit of recipe.masked) await inBase(build, ["systemctl", "mask", unit]);
  await inBase(build, ["/bin/sh", "-c", recipe.finish]);
}

function aptGet(build: Build, args: readonly string[]): Promise<unknown> {
  const options = ["-y", "-q", "-o", `Acquire::http::Proxy=${build.proxy}`, "-o", "APT::Sandbox::User=root"];
  return inBase(build, ["apt-get", ...options, ...args]);
}

function inBase({ draft, logFile }: Build, argv: readonly string[]): Promise<unknown> {
  const container = ["--quiet", "--register=no", "--keep-unit", "--as-pid2", "--pipe", "--resolv-conf=off"];
  return command(
    [
      "systemd-nspawn",
      ...container,
      "--timezone=off",
      "--setenv=DEBIAN_FRONTEND=noninteractive",
      `--directory=${draft}`,
      ...argv,
    ],
    {
      timeoutMs: INSTALL_TIMEOUT_MS,
      logFile,
      cgroupDir: buildCgroup(),
      env: { SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: "1" },
    },
  );
}

import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import type { MachinePackages } from "../apt/machine.ts";
import { createMirror } from "../apt/mirror.ts";
import { command } from "../command.ts";
import { LabError } from "../errors.ts";
import { basesDir, makePrivateDir } from "../lab-dir.ts";
import type { Steps } from "../steps.ts";
import { type BaseRecipe, baseRecipe, recipeHash } from "./recipe.ts";

const DEBOOTSTRAP_TIMEOUT_MS = 15 * 60_000;
const INSTALL_TIMEOUT_MS = 30 * 60_000;

/**
 * The base system's directory, built first if this recipe never was: in a directory beside it, which is renamed when
 * it is whole, so that a base that exists is complete.
 */
export async function ensureBase(packages: MachinePackages, steps: Steps): Promise<string> {
  const recipe = baseRecipe(packages.mirror);
  const base = join(basesDir(), recipeHash(recipe));
  if (existsSync(base)) return base;
  makePrivateDir(basesDir());
  // Two labs that start at once may both build; the first to finish wins, the other's work is dropped.
  const draft = `${base}.draft-${process.pid}`;
  const logFile = `${base}.log`;
  rmSync(logFile, { force: true });
  const mirror = createMirror(packages.mirrorOptions);
  await new Promise<void>((resolve, reject) => mirror.once("error", reject).listen(0, "127.0.0.1", resolve));
  const proxy = `http://127.0.0.1:${(mirror.address() as AddressInfo).port}`;
  try {
    await buildBase({ draft, recipe, proxy, logFile }, steps);
    if (existsSync(base)) return base;
    renameSync(draft, base);
    return base;
  } catch (cause) {
    throw new LabError(`the base system could not be built; its log is ${logFile}`, { cause });
  } finally {
    mirror.closeAllConnections();
    mirror.close();
    rmSync(draft, { recursive: true, force: true });
  }
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
    { timeoutMs: INSTALL_TIMEOUT_MS, logFile, env: { SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: "1" } },
  );
}

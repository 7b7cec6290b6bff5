import { existsSync, truncateSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { command, outputOf } from "../command.ts";
import { hostPaths } from "../lab-dir.ts";
import type { LabHost } from "../spec.ts";

interface Loop {
  readonly name: string;
  readonly "back-file": string | null;
}

/** A loop device of the machine, and where a host finds it. */
export interface AttachedVolume {
  readonly device: string;
  readonly loop: string;
}

/**
 * Attach a host's volumes, each a loop device on a sparse file that is made once and then kept with its content.
 *
 * @see https://manpages.debian.org/trixie/mount/losetup.8.en.html
 */
export async function attachVolumes(lab: string, host: LabHost): Promise<readonly AttachedVolume[]> {
  const attached: AttachedVolume[] = [];
  for (const { device, sizeMib } of host.volumes ?? []) {
    const file = join(hostPaths(lab, host.name).volumes, `${basename(device)}.img`);
    if (!existsSync(file)) {
      writeFileSync(file, "", { mode: 0o600 });
      truncateSync(file, sizeMib * 1024 * 1024);
    }
    const existing = (await loops()).find((loop) => loop["back-file"] === file);
    attached.push({ device, loop: existing?.name ?? (await outputOf(["losetup", "--find", "--show", file])) });
  }
  return attached;
}

/** Detach every loop device whose file lies below `dir`. */
export async function detachVolumes(dir: string): Promise<void> {
  const ours = (await loops()).filter((loop) => loop["back-file"]?.startsWith(`${dir}/`));
  // One that was detached since it was listed is what we want.
  for (const { name } of ours) await command(["losetup", "--detach", name], { okCodes: [1] });
}

async function loops(): Promise<readonly Loop[]> {
  const listed = await outputOf(["losetup", "--list", "--json", "--output", "NAME,BACK-FILE"]);
  return listed === "" ? [] : (JSON.parse(listed) as { loopdevices: readonly Loop[] }).loopdevices;
}

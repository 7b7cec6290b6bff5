import {
  type Action,
  defineModule,
  exec,
  type ModuleSpec,
  mapProbe,
  type Probe,
  probeAll,
  sh,
  Unmet,
} from "@keybuzz/runner";
import * as z from "zod";
import { type EditedState, editedLeft, planEdited } from "../files/edited-file.ts";
import { absolutePath, oneLine } from "../params/params.ts";
import { mountedAt } from "../params/resources.ts";
import { textFile } from "../probes/file-text.ts";
import { setEntry } from "../text/fstab-edit.ts";
import { flagsOf, liveMount } from "./live-mount.ts";

const FSTAB = "/etc/fstab";

const params = z
  .strictObject({
    path: absolutePath().describe(
      "The mount point, as an absolute path; the directory is created where it is missing.",
    ),
    src: oneLine()
      .regex(/^[^\s-]\S*$/, "must not hold blanks, nor begin with a hyphen")
      .optional()
      .describe("What is mounted, as it stands in fstab(5): a device, best by a name of /dev/disk/by-id, or UUID=..."),
    fstype: z
      .string()
      .regex(/^[a-z0-9._]+$/, "must be the name of a file system")
      .optional()
      .describe("Its file system: xfs, ext4, tmpfs."),
    opts: z
      .string()
      .regex(/^[^\s,]+(,[^\s,]+)*$/, "must be options joined by commas")
      .default("defaults")
      .describe("Mount options, like `defaults,noatime,nofail`."),
    dump: z.int().min(0).default(0).describe("The fifth field of fstab(5)."),
    passno: z.int().min(0).max(2).default(0).describe("The sixth field: order of the check at boot; 0 is none."),
    state: z
      .enum(["mounted", "absent"])
      .default("mounted")
      .describe("Mounted now and at boot, or neither. The directory of an absent mount stays."),
  })
  .refine(
    ({ state, src, fstype }) => state === "absent" || (src !== undefined && fstype !== undefined),
    "src and fstype are needed",
  )
  .refine(({ path }) => path !== "/", "the root file system is no task's to mount");

type Params = z.output<typeof params>;

type MountState = {
  /** What is mounted now, with the flags that every file system has; `null` where nothing is. */
  readonly live: { readonly fstype: string; readonly flags: readonly string[] } | null;
  readonly fstab: EditedState | null;
};

function probe({ path, src, state }: Params): Probe<MountState | null | Unmet> {
  return mapProbe(
    probeAll({ live: liveMount(path, state === "mounted" ? src : undefined), fstab: textFile(FSTAB) }),
    ({ live, fstab }) => (live instanceof Unmet ? live : { live, fstab }),
  );
}

function desired(given: Params, current: MountState | null): MountState {
  const { path, src = "", fstype = "", opts, dump, passno, state } = given;
  const kept = current?.fstab ?? null;
  const entry = state === "absent" ? null : { src, path, fstype, opts, dump, passno };
  const text = setEntry(kept?.text ?? "", path, entry);
  return {
    live: state === "absent" ? null : { fstype, flags: flagsOf(opts) },
    fstab: kept === null && text === "" ? null : { ...(kept ?? { mode: "0644" }), text },
  };
}

function isMounted(state: MountState | null): boolean {
  return state !== null && state.live !== null;
}

const spec: ModuleSpec<typeof params, MountState> = {
  name: "mount",
  summary: "Keep a file system mounted, now and at boot",
  params,
  id: ({ path }) => path,
  probe,
  desired,
  plan({ params: given, current, wanted }) {
    const { path } = given;
    const rewritten = wanted?.fstab && wanted.fstab.text !== current?.fstab?.text ? wanted.fstab : undefined;
    const fstab =
      rewritten === undefined
        ? []
        : [
            planEdited(FSTAB, current?.fstab ?? null, rewritten),
            // systemd makes its mount units from fstab; stale ones may unmount what was just mounted.
            exec(sh`[ ! -d /run/systemd/system ] || systemctl daemon-reload`),
          ];
    const live =
      wanted?.live === null ? (current?.live ? [exec(sh`umount -- ${path}`)] : []) : planLive(given, current);
    const [first, ...others] = wanted?.live === null ? [...live, ...fstab] : [...fstab, ...live];
    if (first === undefined) throw new Error(`mount ${path}: nothing to do about a difference`);
    return [first, ...others];
  },
  leaves: ({ wanted }) => editedLeft(FSTAB, wanted?.fstab ?? null),
  // Other options, or another line of fstab, leave what is below the mount point as it is.
  touches: ({ path }, change) => [
    `mount:${path}`,
    `file:${FSTAB}`,
    ...(change !== undefined && isMounted(change.current) === isMounted(change.wanted) ? [] : [mountedAt(path)]),
  ],
};

function planLive({ path, src = "", fstype = "", opts }: Params, current: MountState | null): readonly Action[] {
  const live = current?.live ?? null;
  if (live === null) return [exec(sh`mkdir -p -- ${path} && mount -t ${fstype} -o ${opts} -- ${src} ${path}`)];
  if (live.fstype !== fstype) throw new Error(`${path} is mounted as ${live.fstype}, not ${fstype}; unmount it first`);
  if (live.flags.join() === flagsOf(opts).join()) return [];
  // A remount that names no atime option keeps the one that is set (mount(2), MS_REMOUNT).
  const atime = /(^|,)(no|rel|strict)atime(,|$)/.test(opts) ? "" : ",relatime";
  return [exec(sh`mount -o ${`remount,${opts}${atime}`} -- ${path}`)];
}

/**
 * A file system mounted now and at boot: the kernel's table and the line of `/etc/fstab` are compared, each by itself.
 * A mount point that holds files is an error, since the mount would hide them; so is one where something else is
 * mounted. Of the options, those that every file system has are compared with what is in force; all of them with fstab.
 *
 * ```ts
 * mount({ path: "/opt/keybuzz/mariadb/data", src: "/dev/sdb", fstype: "xfs", opts: "defaults,noatime,nofail" })
 * ```
 * @see https://man7.org/linux/man-pages/man5/fstab.5.html
 */
export const mount = defineModule(spec);

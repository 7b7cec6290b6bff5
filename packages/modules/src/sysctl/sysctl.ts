import { type Action, defineModule, exec, type ModuleSpec, mapProbe, probeAll, sh, Unmet } from "@keybuzz/runner";
import * as z from "zod";
import { type EditedState, editedLeft, planEdited } from "../files/edited-file.ts";
import { absolutePath } from "../params/params.ts";
import { textFile } from "../probes/file-text.ts";
import { kernelSetting, settingPath } from "../probes/kernel-settings.ts";
import { setSetting } from "../text/setting-edit.ts";

const params = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9_][A-Za-z0-9_.:/@-]*$/, "must be a sysctl key")
      .refine((name) => !name.split(/[./]/).includes(""), "must be a sysctl key")
      .describe("The setting: `vm.swappiness`. A dot inside one of its names is written as a slash."),
    value: z
      .union([z.string().regex(/^[^\n\r\0]+$/, "must be one line"), z.int()])
      .transform((value) => String(value).trim().replace(/\s+/g, " "))
      .optional()
      .describe("Its value."),
    sysctl_file: absolutePath()
      .default("/etc/sysctl.d/60-keybuzz.conf")
      .describe("The file that sets it at boot, see sysctl.d(5). Created where it is missing."),
    state: z
      .enum(["present", "absent"])
      .default("present")
      .describe("Absent: take it out of the file. The kernel keeps the value that it has until the next boot."),
  })
  .refine(({ state, value }) => state === "absent" || value !== undefined, "value is needed");

type SysctlState = { readonly kernel: string | null; readonly file: EditedState | null };

const spec: ModuleSpec<typeof params, SysctlState> = {
  name: "sysctl",
  summary: "Set a setting of the kernel, now and at boot",
  params,
  id: ({ name }) => name,
  probe: ({ name, sysctl_file, state }) =>
    mapProbe(probeAll({ kernel: kernelSetting(name), file: textFile(sysctl_file) }), ({ kernel, file }) => {
      // To forget a setting, the kernel need not know it.
      if (kernel instanceof Unmet) return state === "present" ? kernel : { kernel: null, file };
      return { kernel, file };
    }),
  desired({ name, value, state }, current) {
    const kept = current?.file ?? null;
    const text = setSetting(kept?.text ?? "", name, state === "absent" || value === undefined ? null : value);
    return {
      kernel: state === "absent" || value === undefined ? (current?.kernel ?? null) : value,
      file: kept === null && text === "" ? null : { ...(kept ?? { mode: "0644" }), text },
    };
  },
  plan({ params: { name, sysctl_file }, current, wanted }): readonly [Action, ...Action[]] {
    const actions: Action[] = [];
    if (wanted?.file && wanted.file.text !== current?.file?.text) {
      actions.push(planEdited(sysctl_file, current?.file ?? null, wanted.file));
    }
    if (wanted?.kernel && wanted.kernel !== current?.kernel) {
      actions.push(exec(sh`printf '%s\n' ${wanted.kernel} > ${settingPath(name)}`));
    }
    const [first, ...others] = actions;
    if (first === undefined) throw new Error(`sysctl ${name}: nothing to do about a difference`);
    return [first, ...others];
  },
  leaves: ({ params: { sysctl_file }, wanted }) => editedLeft(sysctl_file, wanted?.file ?? null),
};

/**
 * A setting of the kernel: the running kernel's value and the line of the file that sets it at boot are compared, each
 * by itself. Debian 13 does not read `/etc/sysctl.conf` any more; files in `/etc/sysctl.d` are read everywhere.
 *
 * ```ts
 * sysctl({ name: "vm.swappiness", value: 1 })
 * ```
 * @see https://manpages.debian.org/sysctl.d.5
 */
export const sysctl = defineModule(spec);

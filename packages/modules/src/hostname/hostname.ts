import { type Action, defineModule, exec, type ModuleSpec, mapProbe, probeAll, sh, Unmet } from "@keybuzz/runner";
import * as z from "zod";
import { fileText } from "../probes/file-text.ts";
import { kernelSetting } from "../probes/kernel-settings.ts";

const params = z.strictObject({
  name: z
    .string()
    .regex(/^(?=.{1,64}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/, "must be a host name")
    .describe("The host's name; small letters, digits and hyphens, at most 64 characters (hostname(7))."),
});

type HostnameState = { readonly kernel: string; readonly file: string | null };

const spec: ModuleSpec<typeof params, HostnameState> = {
  name: "hostname",
  summary: "Set the host's own name, now and at boot",
  params,
  id: ({ name }) => name,
  probe: () =>
    mapProbe(
      probeAll({ kernel: kernelSetting("kernel.hostname"), file: fileText("/etc/hostname") }),
      ({ kernel, file }) => (kernel instanceof Unmet ? kernel : { kernel, file: file === null ? null : nameIn(file) }),
    ),
  desired: ({ name }) => ({ kernel: name, file: name }),
  plan({ current, wanted }): readonly [Action, ...Action[]] {
    const name = wanted?.file ?? "";
    const write: Action = { kind: "write", path: "/etc/hostname", content: `${name}\n`, mode: "0644" };
    const set = exec(sh`hostname ${name}`);
    if (current?.file === name) return [set];
    return current?.kernel === name ? [write] : [write, set];
  },
};

/** hostname(5): the first line that is neither empty nor a comment. */
function nameIn(text: string): string {
  return (
    text
      .split("\n")
      .map((line) => line.trim())
      .find((line) => line !== "" && !line.startsWith("#")) ?? ""
  );
}

/**
 * The host's own name, in the running kernel and in `/etc/hostname`. `/etc/hosts` is another task's: see blockinfile.
 *
 * ```ts
 * hostname({ name: "maria-01" })
 * ```
 */
export const hostname = defineModule(spec);

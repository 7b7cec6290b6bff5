import { type Action, defineModule, exec, type Probe, probeAll, type Sh, sh } from "@keybuzz/runner";
import * as z from "zod";
import {
  desiredFile,
  type FileState,
  fileDocument,
  type ManagedFile,
  planFile,
  probeFile,
} from "../files/managed-file.ts";
import { unitName } from "../params/unit-name.ts";
import { unitRecord } from "../probes/units.ts";

const DIRECTORY = "/etc/systemd/system";

const params = z
  .strictObject({
    name: unitName().describe("Unit, as `mariadb.service` or `backup.timer`; `.service` unless it has a suffix"),
    content: z.string().optional().describe("The whole text of the unit file or drop-in; needed unless absent"),
    dropin: z
      .string()
      .regex(/^[A-Za-z0-9:_@-][A-Za-z0-9:_.@-]*$/, "must be a file name")
      .transform((name) => (name.endsWith(".conf") ? name : `${name}.conf`))
      .optional()
      .describe("Name of a drop-in, as `limits`: the text is added to a unit that something else brings"),
    state: z.enum(["present", "absent"]).default("present").describe("Whether the file is there"),
    verify: z
      .boolean()
      .default(true)
      .describe(
        "Let `systemd-analyze verify` look at a new text before it takes its place, and refuse what it would ignore",
      ),
  })
  .refine(({ content, state }) => state === "absent" || content !== undefined, {
    path: ["content"],
    message: "is needed unless state is absent",
  });

type UnitFileState = {
  readonly file: FileState | null;
  /** Whether systemd has read what is on disk. */
  readonly loaded: boolean;
};

type Given = z.output<typeof params>;

/**
 * A unit file or a drop-in below /etc/systemd/system, and that systemd has read it. Starting and enabling the unit is
 * the `service` module's part: give it the path in `restartedAfter`.
 *
 * @see https://www.freedesktop.org/software/systemd/man/latest/systemd.unit.html
 */
export const systemdUnit = defineModule({
  name: "systemd_unit",
  summary: "Keep a systemd unit file or drop-in, checked and loaded",
  params,
  id: ({ name, dropin }) => (dropin === undefined ? name : `${name}.d/${dropin}`),
  probe: (given): Probe<UnitFileState> => {
    const parts = probeAll({ file: probeFile(managed(given)), unit: unitRecord({ unit: given.name }) });
    return {
      questions: parts.questions,
      parse(outputs) {
        const { file, unit } = parts.parse(outputs);
        return { file, loaded: !unit.needsDaemonReload };
      },
    };
  },
  desired: (given, current): UnitFileState => ({
    file: desiredFile(managed(given), current?.file ?? null),
    loaded: true,
  }),
  plan({ params: given, current, wanted }) {
    const file = managed(given);
    const reload = exec(sh`systemctl daemon-reload`);
    const [before, after] = [current?.file ?? null, wanted?.file ?? null];
    if (JSON.stringify(before) === JSON.stringify(after)) return [reload];
    const folder = file.path.slice(0, file.path.lastIndexOf("/"));
    const makeFolder: readonly Action[] = given.dropin === undefined ? [] : [exec(sh`mkdir -p -m 0755 -- ${folder}`)];
    const dropFolder: readonly Action[] =
      given.dropin === undefined ? [] : [exec(sh`rmdir --ignore-fail-on-non-empty -- ${folder}`)];
    const [first, ...rest] = [
      ...(after === null ? [] : makeFolder),
      ...planFile(file, before, after),
      ...(after === null ? dropFolder : []),
      reload,
    ];
    return [first ?? reload, ...rest];
  },
  touches: (given) => [`file:${managed(given).path}`],
  document: {
    probe: (given) => fileDocument(managed).probe(given),
    wanted: (given) => fileDocument(managed).wanted(given),
  },
});

function managed({ name, dropin, content, state, verify }: Given): ManagedFile {
  const path = dropin === undefined ? `${DIRECTORY}/${name}` : `${DIRECTORY}/${name}.d/${dropin}`;
  return {
    ...{ path, content, state, mode: "0644", owner: "root", group: "root", force: true },
    validate: verify ? verifyScript(name, dropin) : undefined,
  };
}

/**
 * `systemd-analyze verify` takes a unit by its file name, so the candidate is laid into a directory of its own that is
 * searched first. What it would merely ignore, such as a misspelt setting, is refused too; what it says about other
 * units is none of this task's business.
 */
function verifyScript(unit: string, dropin: string | undefined): Sh {
  const place = dropin === undefined ? unit : `${unit}.d/${dropin}`;
  return sh`kb_dir=$(mktemp -d) || exit 1
trap 'rm -rf -- "$kb_dir"' EXIT
mkdir -p -- "$kb_dir/${unit}.d" && cp -- "$KB_FILE" "$kb_dir"/${place} || exit 1
${dropin === undefined ? sh`:` : standIn(unit)}
kb_said=$(SYSTEMD_UNIT_PATH="$kb_dir:" systemd-analyze verify --man=no --recursive-errors=no ${unit} 2>&1); kb_rc=$?
kb_own=$(printf '%s\n' "$kb_said" | grep -F -e "$kb_dir/" -e ${`${unit}:`})
if [ "$kb_rc" -ne 0 ] || [ -n "$kb_own" ]; then
  printf '%s\n' "systemd-analyze verify refuses this text:" "$kb_said" >&2
  exit 1
fi`;
}

/** A drop-in may be there before the package that brings its unit: then it is read beside a unit that does nothing. */
function standIn(unit: string): Sh {
  return sh`systemctl cat -- ${unit} >/dev/null 2>&1 || printf '[Service]\nExecStart=/bin/true\n' >"$kb_dir"/${unit}`;
}

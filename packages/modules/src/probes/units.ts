import { askBatch, type Batch, type Probe, type Sh, sh, shLines, type Touched } from "@keybuzz/runner";

/** A unit as systemd knows it. */
export interface UnitRecord {
  /** `loaded`, `not-found`, `masked`, `bad-setting`, `error`. */
  readonly load: string;
  /** `active`, `reloading`, `inactive`, `failed`, `activating`, `deactivating`. */
  readonly active: string;
  /** `enabled`, `disabled`, `static`, `masked`, ...; empty where there is no unit file. */
  readonly file: string;
  /** Its file or a drop-in was changed on disk since systemd read it. */
  readonly needsDaemonReload: boolean;
  /** Those of the paths asked for that are newer than the running unit's start. */
  readonly newerThanStart: readonly string[];
  /** Those of the paths asked for that are newer than its last start or successful reload. */
  readonly newerThanReload: readonly string[];
}

/** What to ask about a unit, besides its state. */
export interface UnitQuestion {
  readonly unit: string;
  readonly restartedAfter?: readonly string[];
  readonly reloadedAfter?: readonly string[];
}

const PROPERTIES = [
  ...["LoadState", "ActiveState", "UnitFileState", "NeedDaemonReload", "ReloadResult"],
  ...["InactiveExitTimestamp", "ExecMainStartTimestamp", "StateChangeTimestamp"],
].join(",");

/**
 * One systemctl(1) for all units, and one find(1) for each list of paths to compare with a unit's times. Only the
 * outcome is printed, so that the text stays the same while nothing that matters changes.
 *
 * A part is `LOAD|ACTIVE|FILE|NEEDRELOAD`, a line `start PATH` or `reload PATH` for each newer path, and a dot.
 */
const UNITS: Batch = {
  name: "systemd-units",
  render: (keys) => {
    const questions = keys.map((key) => JSON.parse(key) as Required<UnitQuestion>);
    return {
      script: shLines([
        READ_UNIT,
        sh`kb_all=$(systemctl show --timestamp=us+utc --property=${PROPERTIES} -- ${questions.map(({ unit }) => askable(unit))}) || exit
exec 3<<KB_EOF
$kb_all
KB_EOF`,
        ...questions.map(({ restartedAfter, reloadedAfter }) =>
          shLines([sh`kb_read_unit`, compare("start", restartedAfter), compare("reload", reloadedAfter), sh`echo .`]),
        ),
      ]),
    };
  },
  split: (stdout, keys) => {
    const parts = stdout.split(/(?<=^\.\n)/m);
    return keys.map((_, index) => parts[index] ?? "");
  },
  touched: foreseeUnit,
};

/** A unit whose file is new is read by the daemon-reload that goes with it; what is running is older than what is to come. */
function foreseeUnit(key: string, answer: string, touched: Touched): string {
  const { unit, restartedAfter, reloadedAfter } = JSON.parse(key) as Required<UnitQuestion>;
  if (answer.startsWith("not-found|") && touched.has(`file:/etc/systemd/system/${unit}`)) {
    return "loaded|inactive|disabled|no\n.\n";
  }
  if (!/^loaded\|(active|reloading)\|/.test(answer)) return answer;
  const lines = answer.split("\n").slice(0, -2);
  const due = (word: string, paths: readonly string[]): readonly string[] =>
    paths.flatMap((path) => {
      const line = `${word} ${path}`;
      return touched.has(`file:${path}`) || lines.includes(line) ? [line] : [];
    });
  return `${[lines[0], ...due("start", restartedAfter), ...due("reload", reloadedAfter), "."].join("\n")}\n`;
}

/** systemctl tells nothing of a template (`x@.service`) itself; of an instance that nobody started it tells the same. */
function askable(unit: string): string {
  return unit.replace("@.", "@keybuzz.");
}

/**
 * A start counts from when the unit left "inactive" and from when its main process was begun, whichever was first: a
 * daemon reads its files before it says that it is ready. A reload is a change of state that leaves the start alone.
 * @see https://www.freedesktop.org/software/systemd/man/latest/org.freedesktop.systemd1.html
 */
const READ_UNIT = sh`kb_read_unit() {
  kb_load= kb_active= kb_file= kb_need= kb_reload= kb_exit= kb_exec= kb_change=
  while IFS= read -r kb_line <&3 && [ -n "$kb_line" ]; do
    kb_value=\${kb_line#*=}
    case $kb_line in
      LoadState=*) kb_load=$kb_value ;;
      ActiveState=*) kb_active=$kb_value ;;
      UnitFileState=*) kb_file=$kb_value ;;
      NeedDaemonReload=*) kb_need=$kb_value ;;
      ReloadResult=*) kb_reload=$kb_value ;;
      InactiveExitTimestamp=*) kb_exit=\${kb_value#* } ;;
      ExecMainStartTimestamp=*) kb_exec=\${kb_value#* } ;;
      StateChangeTimestamp=*) kb_change=\${kb_value#* } ;;
    esac
  done
  case $kb_active in active|reloading) ;; *) kb_exit= ;; esac
  printf '%s|%s|%s|%s\n' "$kb_load" "$kb_active" "$kb_file" "$kb_need"
}
kb_newer() {
  kb_word=$1 kb_one=$2 kb_other=$3; shift 3
  [ -n "$kb_exit" ] || return 0
  for kb_path do shift; [ ! -e "$kb_path" ] || set -- "$@" "$kb_path"; done
  [ $# -gt 0 ] || return 0
  kb_found=$(find -L "$@" \( -newermt "$kb_one" -o -newermt "$kb_other" \) -printf "$kb_word %H\n") || exit 1
  [ -z "$kb_found" ] || printf '%s\n' "$kb_found" | uniq
}`;

function compare(word: "start" | "reload", paths: readonly string[]): Sh {
  if (paths.length === 0) return sh`:`;
  if (word === "start") return sh`kb_newer start "$kb_exit" "\${kb_exec:-$kb_exit}" ${paths}`;
  // After a reload that failed, the daemon still has what it was started with.
  return sh`case $kb_reload in success|'') kb_newer reload "$kb_change" "$kb_change" ${paths} ;;
*) kb_newer reload "$kb_exit" "$kb_exit" ${paths} ;; esac`;
}

/**
 * A unit's record. Paths may be directories, which count with all that is below them; missing paths count as old.
 * @see https://www.freedesktop.org/software/systemd/man/latest/systemctl.html
 */
export function unitRecord({ unit, restartedAfter = [], reloadedAfter = [] }: UnitQuestion): Probe<UnitRecord> {
  const key = JSON.stringify({ unit, restartedAfter, reloadedAfter });
  return askBatch(UNITS, key, ({ stdout, stderr, exitCode }) => {
    if (exitCode === 127) throw new Error("this host has no systemctl: it is not run by systemd");
    const [head = "", ...lines] = stdout.split("\n");
    const [load = "", active = "", file = "", need = ""] = head.split("|");
    if (exitCode !== 0 || load === "" || !stdout.endsWith("\n.\n")) {
      throw new Error(`systemctl could not tell about ${unit}: ${stderr.trim() || "its answer was cut off"}`);
    }
    const newer = (word: string): readonly string[] =>
      lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
    return {
      ...{ load, active, file, needsDaemonReload: need === "yes" },
      ...{ newerThanStart: newer("start"), newerThanReload: newer("reload") },
    };
  });
}

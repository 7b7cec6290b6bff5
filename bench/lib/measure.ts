import { mkdirSync, readFileSync, rmdirSync } from "node:fs";
import { controllerArgv, labEnvironment } from "@keybuzz/lab";
import { $ } from "zx";

/** What one run took of the controller. */
export interface Measured {
  /** From the command's start to its end. */
  readonly seconds: number;
  /** Processor time of the whole process tree, ssh masters included. */
  readonly cpuSeconds: number;
  /** Highest sum of the processes' proportional set sizes, sampled each 100 ms. */
  readonly memoryMiB: number;
  readonly told: string;
}

const GROUP = "/sys/fs/cgroup/cpuacct/kb-bench";

/** Runs a command in the lab's controller, in a control group of its own (cgroup v1, controller cpuacct). */
export async function measured(lab: string, argv: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Measured> {
  mkdirSync(GROUP, { recursive: true });
  const before = cpuNanoseconds();
  let memory = 0;
  const sampling = setInterval(() => {
    memory = Math.max(memory, setSizeKib());
  }, 100);
  const started = performance.now();
  // Before the network namespace is entered: that has a /sys of its own.
  const grouped = ["-c", `echo $$ >${GROUP}/cgroup.procs && exec "$@"`, "sh", ...controllerArgv(lab, argv)];
  const environment = { ...process.env, ...labEnvironment(lab), ...env };
  const result = await $({ env: environment, quiet: true, nothrow: true, timeout: "30m" })`sh ${grouped}`;
  const seconds = (performance.now() - started) / 1000;
  clearInterval(sampling);
  const cpuSeconds = (cpuNanoseconds() - before) / 1e9;
  return { seconds, cpuSeconds, memoryMiB: memory / 1024, told: result.stdout + result.stderr };
}

/** Takes the control group away; masters of ssh that stay in it go back to where they came from. */
export function forgetGroup(): void {
  try {
    rmdirSync(GROUP);
  } catch {
    // A process of a run that was cut off is still in it; an empty group costs nothing.
  }
}

function cpuNanoseconds(): number {
  return Number(readFileSync(`${GROUP}/cpuacct.usage`, "utf8"));
}

/** Sum over the group's processes of the `Pss` line of /proc/PID/smaps_rollup. */
function setSizeKib(): number {
  const pids = readFileSync(`${GROUP}/cgroup.procs`, "utf8").trim().split("\n");
  return pids.reduce((sum, pid) => sum + setSizeOf(pid), 0);
}

function setSizeOf(pid: string): number {
  try {
    return Number(/^Pss: +(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** The middle one by time. */
export function median(runs: readonly Measured[]): Measured {
  const sorted = [...runs].sort((a, b) => a.seconds - b.seconds);
  const middle = sorted[Math.floor((sorted.length - 1) / 2)];
  if (middle === undefined) throw new Error("there was no run");
  return middle;
}

import { BenchLab } from "./lib/bench-lab.ts";
import { Contestants, installPeers } from "./lib/contestants.ts";
import { forgetGroup } from "./lib/measure.ts";
import { head, option, row, words } from "./lib/options.ts";

/**
 * A check of W50 over a growing fleet: the lab's five hosts under many names. Prints seconds, the controller's processor
 * time and its memory.
 *
 *   npm run bench:fleet                                 5, 25 and 100 hosts, RTT 20 ms (about 20 minutes)
 *   npm run bench:fleet -- --hosts 5,25 --without ansible,mitogen
 */
const sizes = words("hosts", "5,25,100").map(Number);
const without = words("without", "");
/** Above this many hosts the slow ones would take half an hour for a figure that 25 hosts give too. */
const SLOW_UP_TO = Number(option("slow-up-to") ?? 25);

const lab = await BenchLab.start((await installPeers(without)).mitogen);
const contestants = new Contestants(lab);
try {
  const list = contestants.list(without);
  await list[0]?.run("first", lab.hosts(5));
  await lab.distance(Number(option("rtt") ?? 20));
  head(["hosts", "tool", "seconds", "controller CPU, s", "CPU per host, ms", "controller memory, MiB", "seconds / kb"]);
  for (const size of sizes) {
    let ours = Number.NaN;
    for (const contestant of list) {
      if (contestant.slow && size > SLOW_UP_TO) continue;
      const run = await contestant.run("check", lab.hosts(size));
      if (contestant.name === "kb") ours = run.seconds;
      const perHost = (run.cpuSeconds / size) * 1000;
      row([
        size,
        contestant.name,
        run.seconds.toFixed(2),
        run.cpuSeconds.toFixed(2),
        perHost.toFixed(0),
        run.memoryMiB.toFixed(0),
        (run.seconds / ours).toFixed(1),
      ]);
    }
  }
} finally {
  await lab.stop();
  contestants.remove();
  forgetGroup();
}

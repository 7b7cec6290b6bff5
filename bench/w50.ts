import { BenchLab } from "./lib/bench-lab.ts";
import { type Contestant, Contestants, installPeers, KINDS, type Kind } from "./lib/contestants.ts";
import { forgetGroup, type Measured, median } from "./lib/measure.ts";
import { head, option, row, words } from "./lib/options.ts";

/**
 * The peers' workload W50 on the lab's hosts, in one run: `kb`, the plain shell script (the practical floor), Ansible with
 * pipelining and Mitogen from Debian, at several distances. Prints seconds and ratios as a table.
 *
 *   npm run bench                    all distances (about 25 minutes, nearly all of it Ansible's)
 *   npm run bench -- --rtt 0,20 --runs 5 --only converged --without ansible,mitogen
 */
const distances = words("rtt", "0,20,100").map(Number);
const runs = Number(option("runs") ?? 3);
const without = words("without", "");
const kinds = words("only", "first,files,converged").filter((word): word is Kind =>
  KINDS.some((kind) => kind === word),
);

async function measure(lab: BenchLab, contestant: Contestant, kind: Kind): Promise<Measured> {
  const seen = [];
  for (let count = 0; count < (contestant.slow ? 1 : runs); count += 1) {
    if (kind === "first") await lab.reset();
    if (kind === "files") await lab.onHosts("rm -f /etc/kbench.d/*");
    seen.push(await contestant.run(kind, lab.hosts(5)));
  }
  return median(seen);
}

const lab = await BenchLab.start((await installPeers(without)).mitogen);
const contestants = new Contestants(lab);
try {
  const list = contestants.list(without);
  // What is converged is measured on hosts that are.
  if (!kinds.includes("first")) await list[0]?.run("first", lab.hosts(5));
  const [, ...others] = list.map(({ name }) => name);
  head(["RTT ms", "run", ...list.map(({ name }) => `${name}, s`), ...others.map((name) => `${name} / kb`)]);
  for (const rttMs of distances) {
    await lab.distance(rttMs);
    for (const kind of kinds) {
      const seconds = [];
      for (const contestant of list) seconds.push((await measure(lab, contestant, kind)).seconds);
      const [ours = Number.NaN, ...theirs] = seconds;
      row([rttMs, kind, ...seconds.map((one) => one.toFixed(2)), ...theirs.map((one) => (one / ours).toFixed(1))]);
    }
  }
} finally {
  await lab.stop();
  contestants.remove();
  forgetGroup();
}

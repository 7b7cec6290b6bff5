import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { down, exec, labNames, setDistance, up } from "@keybuzz/lab";
import { forgetGroup, type Measured, measured, median } from "./lib/measure.ts";
import { head, option, row, words } from "./lib/options.ts";

/**
 * A thousand small files on one host, each a task of one list with its own content: all of them new, all of them changed,
 * none of them. Mitogen's documentation measures the like over 26 ms, with 98.5 s for itself. Prints a table.
 *
 *   npm run bench:files -- [--count 1000] [--rtt 0,26] [--runs 3] [--lab NAME]
 * @see https://mitogen.networkgenomics.com/ansible_detailed.html
 */
const LAB = option("lab") ?? "benchfiles";
const HOST = { name: "files-01", address: "10.9.1.11" };
const count = Number(option("count") ?? 1000);
const runs = Number(option("runs") ?? 3);
const folder = mkdtempSync(join(tmpdir(), "keybuzz-bench-"));
const inventory = join(folder, "hosts.yml");

async function onHost(script: string): Promise<void> {
  const { code, stderr } = await exec(LAB, HOST.name, ["sh", "-c", script]);
  if (code !== 0) throw new Error(`${script}: ${stderr}`);
}

async function play(changed: number, generation: number): Promise<Measured> {
  const kb = join(import.meta.dirname, "../kb");
  const params = ["-e", `count=${count}`, "-e", `generation=${generation}`];
  const ran = await measured(LAB, [
    kb,
    "play",
    join(import.meta.dirname, "files/files.ts"),
    "-i",
    inventory,
    ...params,
  ]);
  const told = new RegExp(`\\nfiles-01 +${count - changed} +${changed} +0 +0 +0`);
  if (!told.test(ran.told)) throw new Error(`the run does not count, it said:\n${ran.told.slice(-2000)}`);
  return ran;
}

if (labNames().includes(LAB)) throw new Error(`the lab ${LAB} is up: another benchmark runs, or was cut off`);
await up({ name: LAB, hosts: [HOST] }, { onStep: ({ text }) => console.log(text) });
try {
  writeFileSync(inventory, `all:\n  hosts:\n    ${HOST.name}: { ansible_host: ${HOST.address} }\n`);
  head(["RTT ms", `${count} files`, "seconds", "controller, CPU s", "controller, MiB"]);
  let generation = 1;
  for (const rttMs of words("rtt", "0,26").map(Number)) {
    await setDistance(LAB, { rttMs });
    const kinds: Record<string, Measured[]> = { new: [], changed: [], converged: [] };
    for (let run = 0; run < runs; run += 1) {
      await onHost("rm -rf /var/lib/kbench-files; mkdir /var/lib/kbench-files; sync");
      kinds["new"]?.push(await play(count, generation));
      generation += 1;
      kinds["changed"]?.push(await play(count, generation));
      kinds["converged"]?.push(await play(0, generation));
    }
    for (const [kind, all] of Object.entries(kinds)) {
      const { seconds, cpuSeconds, memoryMiB } = median(all);
      row([rttMs, kind, seconds.toFixed(2), cpuSeconds.toFixed(2), memoryMiB.toFixed(0)]);
    }
  }
} finally {
  await down(LAB);
  rmSync(folder, { recursive: true, force: true });
  forgetGroup();
}

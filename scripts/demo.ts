import { $, chalk, fs } from "zx";

/** `npm run demo`: the main job. A lab of real hosts, the whole of Module 7 on it, played twice, and how to look around. */
const NAME = "demo";
const INVENTORY = process.argv[2] ?? "inventories/keybuzz.yml";
const $show = $({ stdio: "inherit", nothrow: true });

function say(text: string): void {
  console.log(`\n${chalk.bold.cyan(`== ${text}`)}`);
}

async function step(text: string, run: () => PromiseLike<{ exitCode: number | null }>): Promise<void> {
  say(text);
  const { exitCode } = await run();
  if (exitCode === 0) return;
  console.error(`\nstopped: "${text}" ended with ${exitCode}. The hosts stay up: ./kb lab ssh --name ${NAME} maria-01`);
  process.exit(exitCode ?? 1);
}

if (process.getuid?.() !== 0) {
  console.error("the lab boots real hosts, which takes root: sudo npm run demo");
  process.exit(2);
}
await fs.access("kb");
const started = Date.now();
await step(
  "the hosts: real Debian, bare, at production's addresses",
  () => $show`./kb lab up --name ${NAME} -i ${INVENTORY}`,
);
await step(
  "converge: from bare hosts to a cluster behind one entry point",
  () => $show`./kb lab run --name ${NAME} -- ./kb play site.ts -i ${INVENTORY} --diff`,
);
await step(
  "again: nothing is left to change",
  () => $show`./kb lab run --name ${NAME} -- ./kb play site.ts -i ${INVENTORY}`,
);
say(`done in ${Math.round((Date.now() - started) / 1000)} s. Look around:`);
console.log(`
  ./kb lab ssh --name ${NAME} maria-01                               a shell on a node
  ./kb lab run --name ${NAME} -- ./kb play verify.ts -i ${INVENTORY}    every check again, as a table
  ./kb lab run --name ${NAME} -- ./kb play galera.ts -i ${INVENTORY} --check --diff
                                                              change something on a host first, then see it named
  ./kb lab status --name ${NAME}
  ./kb lab down --name ${NAME}                                        and it is gone
`);

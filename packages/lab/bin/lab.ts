/** Development entry to the lab, without the command line's package: `node packages/lab/bin/lab.ts up SPEC.json`. */
import { readFileSync } from "node:fs";
import {
  DEFAULT_LAB,
  down,
  LabError,
  type LabSpec,
  labNames,
  type OnStep,
  run,
  ssh,
  status,
  up,
} from "../src/index.ts";

const USAGE = `usage: lab.ts up SPEC.json | down [NAME] | status [NAME] | list | run NAME -- COMMAND... | ssh NAME [USER@]HOST [COMMAND...]
`;

const onStep: OnStep = ({ text, ms }) => process.stderr.write(`${(ms / 1000).toFixed(1).padStart(6)} s  ${text}\n`);
const print = (value: unknown) => process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);

async function main([verb, ...args]: readonly string[]): Promise<number> {
  const [name = DEFAULT_LAB, ...rest] = args;
  const words = rest[0] === "--" ? rest.slice(1) : rest;
  switch (verb) {
    case "up": {
      const spec = JSON.parse(readFileSync(name, "utf8")) as Partial<LabSpec> & Pick<LabSpec, "hosts">;
      print(await up({ name: DEFAULT_LAB, ...spec }, { onStep }));
      return 0;
    }
    case "down":
      await down(name, { onStep });
      return 0;
    case "status":
      print(await status(name));
      return 0;
    case "list":
      print(labNames());
      return 0;
    case "run":
      return run(name, words);
    case "ssh": {
      const [host = "", ...argv] = rest;
      return ssh(name, host, argv);
    }
    default:
      process.stderr.write(USAGE);
      return 2;
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof LabError)) throw error;
  process.stderr.write(`${error.message}\n${error.cause instanceof Error ? `${error.cause.message}\n` : ""}`);
  process.exitCode = error.exitCode;
}

/**
 * Connects to many targets at once from inside a lab, and tells as JSON what came of it: what a run does, without a run.
 * Reads {@link ConnectRequest} from standard input.
 */
import { text } from "node:stream/consumers";
import { type Connection, makeConnect, Secret, type SshOptions, type Target } from "@keybuzz/runner";
import type { ConnectRequest, Outcome } from "./connect-many.ts";

const request = JSON.parse(await text(process.stdin)) as ConnectRequest;
const { passphrase, ...given } = request.options;
if (request.path !== undefined) process.env["PATH"] = request.path;
let asked = 0;
const options: SshOptions = {
  ...given,
  ...(passphrase === undefined
    ? {}
    : {
        askPassphrase: async () => {
          asked += 1;
          return new Secret(passphrase);
        },
      }),
};
const connect = makeConnect(options);
const open: Connection[] = [];

async function reach(target: Target): Promise<Outcome> {
  const started = performance.now();
  try {
    const connection = await connect(target);
    open.push(connection);
    const process = await connection.start(request.command);
    const [stdout, stderr] = [text(process.stdout), text(process.stderr)];
    process.stdin.end();
    await process.ended;
    return { name: target.name, user: connection.user, stdout: await stdout, stderr: await stderr, ms: since(started) };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const { detail, hint } = error as { detail?: string; hint?: string };
    return { name: target.name, error: error.message, detail: detail ?? "", hint: hint ?? "", ms: since(started) };
  }
}

function since(started: number): number {
  return Math.round(performance.now() - started);
}

const targets = request.targets.map(({ password, ...target }) => ({
  ...target,
  ...(password === undefined ? {} : { password: new Secret(password) }),
}));
const outcomes = request.oneByOne ? [] : await Promise.all(targets.map(reach));
if (request.oneByOne) for (const target of targets) outcomes.push(await reach(target));
const rssMib = Math.round(process.resourceUsage().maxRSS / 1024);
await Promise.all(open.map((connection) => connection.close()));
process.stdout.write(JSON.stringify({ outcomes, rssMib, asked }));
process.exit(0);

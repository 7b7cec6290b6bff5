import { spawn } from "node:child_process";
import { userInfo } from "node:os";
import { ConnectError } from "../errors.ts";
import type { Connect } from "./transport.ts";

/** The controller itself: commands run in child processes. */
export const connectLocal: Connect = async (target) => ({
  user: userInfo().username,
  async start(command) {
    // In a session of its own, as over ssh: Ctrl-C is for us, not for an action that is half done.
    const child = spawn("/bin/sh", ["-c", command], { stdio: "pipe", env: localEnvironment(), detached: true });
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", (cause) => {
        reject(new ConnectError("could not start /bin/sh on the controller", { host: target.name, cause }));
      });
    });
    // A child that is gone makes writing fail with EPIPE; `ended` tells that better.
    child.stdin.on("error", () => {});
    const ended = new Promise<string>((resolve) => {
      child.once("close", (code, signal) => resolve(signal === null ? `sh ended with ${code}` : `sh got ${signal}`));
    });
    return { stdin: child.stdin, stdout: child.stdout, stderr: child.stderr, ended, close: () => void child.kill() };
  },
  async close() {},
});

/** What a login over ssh would have; the rest of our environment is nobody's business. */
function localEnvironment(): NodeJS.ProcessEnv {
  const kept = ["PATH", "HOME", "USER", "LOGNAME", "SSH_CONNECTION"];
  return Object.fromEntries(
    kept.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}

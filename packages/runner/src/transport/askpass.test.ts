import { execFile } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { Secret } from "../secret.ts";
import { AskpassBridge } from "./askpass.ts";

const run = promisify(execFile);

it("brings a question of ssh to the right host's answer, by a socket that only we can open, and leaves nothing", async () => {
  const bridge = await AskpassBridge.open();
  const asked: string[] = [];
  const one = bridge.environment("one", async (prompt) => {
    asked.push(prompt);
    return new Secret("s3cret 'quoted'");
  });
  const two = bridge.environment("two", async () => undefined);
  try {
    expect(statSync(bridge.folder).mode & 0o777).toBe(0o700);
    expect(JSON.stringify([one, two])).not.toContain("s3cret");
    const program = one["SSH_ASKPASS"] ?? "";
    expect((await run(program, ["Password:"], { env: { ...process.env, ...one } })).stdout).toBe("s3cret 'quoted'\n");
    await expect(run(program, ["Password:"], { env: { ...process.env, ...two } })).rejects.toMatchObject({ code: 1 });
    await expect(run(program, ["?"], { env: { ...process.env, KB_ASKPASS_NAME: "other" } })).rejects.toMatchObject({
      code: 1,
    });
    expect(asked).toEqual(["Password:"]);
  } finally {
    await bridge.close();
  }
  expect(existsSync(bridge.folder)).toBe(false);
});

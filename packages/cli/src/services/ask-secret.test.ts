import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const ASK = fileURLToPath(new URL("../testing/ask.ts", import.meta.url));

/** Types on a terminal of its own once it is asked, and gives back all that the terminal showed. script(1) makes it. */
async function typeAtQuestion(keys: string): Promise<string> {
  const child = spawn("script", ["--quiet", "--return", "--command", `'${process.execPath}' '${ASK}'`, "/dev/null"], {
    stdio: ["pipe", "pipe", "inherit"],
    timeout: 20_000,
  });
  let shown = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    if (!shown.includes("password: ") && `${shown}${text}`.includes("password: ")) child.stdin.write(keys);
    shown += text;
  });
  await new Promise((resolve) => child.once("close", resolve));
  return shown.replaceAll("\r\n", "\n");
}

const digest = (text: string): string => createHash("sha256").update(text).digest("hex");

test.each([
  ["hunter2\r", "hunter2"],
  ["wrong\x15hunterr\x7f2\n", "hunter2"],
  ["p\u00e4ss w\u00f6rd\r", "p\u00e4ss w\u00f6rd"],
  ["\r", ""],
])("typing %j gives the secret, and shows nothing", async (keys, secret) => {
  expect(await typeAtQuestion(keys)).toBe(`password: \ngot ${digest(secret)}\n`);
});

test("Ctrl-C at the question interrupts", async () => {
  expect(await typeAtQuestion("abc\x03")).toBe("password: \nInterruptedError\n");
});

test("without a terminal nothing is asked", async () => {
  const child = spawn("setsid", ["--wait", process.execPath, ASK], { stdio: ["ignore", "pipe", "inherit"] });
  let shown = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    shown += text;
  });
  await new Promise((resolve) => child.once("close", resolve));
  expect(shown).toBe("got no terminal\n");
});

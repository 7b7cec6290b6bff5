import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const ASK = fileURLToPath(new URL("../testing/ask-steps.ts", import.meta.url));

/** Answers each question with the next key, on a terminal that script(1) makes; gives back all that it showed. */
async function answerWith(...keys: readonly string[]): Promise<string> {
  const child = spawn("script", ["--quiet", "--return", "--command", `'${process.execPath}' '${ASK}'`, "/dev/null"], {
    stdio: ["pipe", "pipe", "inherit"],
    timeout: 20_000,
  });
  let shown = "";
  let asked = 0;
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    shown += text;
    while (shown.split("(c)ontinue").length - 1 > asked) child.stdin.write(keys[asked++] ?? "\x03");
  });
  await new Promise((resolve) => child.once("close", resolve));
  return shown.replaceAll("\r\n", "\n");
}

test("a key answers, Enter says no, and other keys are passed over", async () => {
  expect(await answerWith("y", "\r", "xC")).toBe(`\
one on a, b? (y)es, (N)o, (c)ontinue yes
got yes
two on a, b? (y)es, (N)o, (c)ontinue no
got no
three on a, b? (y)es, (N)o, (c)ontinue continue
got continue
`);
});

test("Ctrl-C at the question stops", async () => {
  expect(await answerWith("y", "\x03")).toContain(`\
two on a, b? (y)es, (N)o, (c)ontinue stop
InterruptedError: stopped at the question
`);
});

test("without a terminal it is refused", async () => {
  const child = spawn("setsid", ["--wait", process.execPath, ASK], { stdio: ["ignore", "pipe", "inherit"] });
  let shown = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    shown += text;
  });
  await new Promise((resolve) => child.once("close", resolve));
  expect(shown).toBe("CommandLineError: there is no terminal to ask on\n");
});

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const MODULE = fileURLToPath(new URL("read-secret.ts", import.meta.url));

/** Reads descriptor `given` in a process that has `input` at descriptor 3. */
function read(given: string, input: string): string {
  const script = `const { readSecret } = await import(${JSON.stringify(MODULE)});
    try { process.stdout.write(JSON.stringify((await readSecret(${JSON.stringify(given)})).reveal())); }
    catch (error) { process.stdout.write(error.name + ": " + error.message); }`;
  const argv = [
    "-c",
    `exec 3<<'KB_END'\n${input}\nKB_END\nexec "$@"`,
    "sh",
    process.execPath,
    "--input-type=module",
    "-e",
    script,
  ];
  return execFileSync("sh", argv, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
}

it.each([
  ["3", "open sesame", '"open sesame"'],
  ["3", "first\nsecond", '"first"'],
  ["3", "", '""'],
  ["three", "x", 'CommandLineError: KB_SSH_PASSPHRASE_FD is "three", no number'],
  ["9", "x", "CommandLineError: cannot read file descriptor 9, which KB_SSH_PASSPHRASE_FD names"],
])("descriptor %s with %j gives %s", (given, input, result) => {
  expect(read(given, input)).toBe(result);
});

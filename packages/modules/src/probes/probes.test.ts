import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Output, type Probe, revealText } from "@keybuzz/runner";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { account, groupNumber, supplementaryGroups } from "./accounts.ts";
import { fileDigest } from "./digests.ts";
import { fileText } from "./file-text.ts";
import { kernelSetting, settingPath } from "./kernel-settings.ts";
import { directoryFacts, pathFacts } from "./path-facts.ts";

/** The shells of Debian and of small systems, as far as this machine has them. */
const SHELLS = [["dash"], ["bash", "--norc", "--posix"], ["busybox", "sh"]].filter(
  ([command = "", ...flags]) => spawnSync(command, [...flags, "-c", "exit 7"]).status === 7,
);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "kb-probes-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The part of one key among others, as the engine cuts it out, and what the key alone would say. */
function askShell(shell: readonly string[], probes: readonly Probe<unknown>[]): readonly Output[] {
  const questions = probes.flatMap((probe) => probe.questions);
  const [first] = questions;
  if (first?.kind !== "batch") throw new Error("these probes share no batch");
  const keys = questions.map((question) => (question.kind === "batch" ? question.key : ""));
  const run = (asked: readonly string[]): { stdout: string; stderr: string; exitCode: number } => {
    const { script, stdin } = first.batch.render(asked);
    const [command = "", ...flags] = shell;
    const input = stdin === undefined ? "" : revealText(stdin);
    const env = { PATH: process.env["PATH"], LC_ALL: "C" };
    const ran = spawnSync(command, [...flags, "-c", script.text], { input, env, encoding: "latin1" });
    return { stdout: ran.stdout, stderr: ran.stderr, exitCode: ran.status ?? -1 };
  };
  const whole = run(keys);
  const parts = first.batch.split(whole.stdout, keys);
  expect(parts.join(""), "the output is the parts, one after the other").toBe(whole.stdout);
  return parts.map((part, index) => {
    expect(run([keys[index] ?? ""]).stdout, "each part is what its key says alone").toBe(part);
    return { ...whole, stdout: Buffer.from(part, "latin1").toString("utf8") };
  });
}

function answers<T>(shell: readonly string[], probes: readonly Probe<T>[]): readonly T[] {
  return askShell(shell, probes).map((output, index) => {
    const probe = probes[index];
    if (probe === undefined) throw new Error("more answers than questions");
    return probe.parse([output]);
  });
}

describe.each(SHELLS.map((shell) => [shell.join(" "), shell] as const))(
  "questions in %s",
  { timeout: 30_000 },
  (_, shell) => {
    it("tell apart what is there, what is not, and what is something else, whatever the names", () => {
      const odd = join(folder, "-n a\nb'c$(d)\\e");
      writeFileSync(odd, "x", { mode: 0o640 });
      mkdirSync(join(folder, "dir"), { recursive: true });
      symlinkSync("dir", join(folder, `link${shell[0]}`));
      const paths = [
        odd,
        join(folder, "none"),
        join(folder, "dir"),
        join(folder, `link${shell[0]}`),
        join(odd, "below"),
      ];
      const facts = answers(shell, paths.map(pathFacts));
      expect(facts.map((fact) => fact?.kind ?? null)).toEqual(["file", null, "directory", "link", null]);
      expect(facts[0]?.mode).toBe("0640");
      const behind = answers(shell, [...paths, "/"].map(directoryFacts));
      expect(behind.map((fact) => fact?.kind ?? null)).toEqual([
        null,
        null,
        "directory",
        "directory",
        null,
        "directory",
      ]);
      expect(answers(shell, paths.map(fileDigest))).toEqual([
        "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
        ...[null, null, null, null],
      ]);
      expect(answers(shell, [...paths, odd].map(fileText))).toEqual(["x", null, null, null, null, "x"]);
    });

    it("bring texts back byte for byte", () => {
      const text = fc.string({ unit: fc.constantFrom("a", "=", ".", "+", "\n", "\r", "é", " ", "\\", "'", "-") });
      const check = (texts: string[]): void => {
        const paths = texts.map((content, index) => {
          const path = join(folder, `text${index}`);
          writeFileSync(path, content);
          return path;
        });
        expect(answers(shell, paths.map(fileText))).toEqual(texts);
      };
      fc.assert(fc.property(fc.array(text, { minLength: 1, maxLength: 4 }), check), { numRuns: 8 });
      check(["", "\n", ".\n", "\n.\n", "+\n", "=", "a\n\n.\n"]);
    });

    it("find accounts in their order, and miss those that are not there", () => {
      const [root, nobody, again] = answers(shell, ["root", "no-such-user", "root"].map(account));
      expect(root).toMatchObject({ uid: 0, gid: 0, home: "/root", homeExists: true });
      expect([nobody, again]).toEqual([null, root]);
      expect(answers(shell, ["no-such-group", "root", "tty"].map(groupNumber))).toEqual([null, 0, 5]);
      expect(answers(shell, ["no-such-user", "root"].map(supplementaryGroups))).toEqual([[], []]);
    });

    it("read kernel settings whole", () => {
      const [release, none, ports] = answers(
        shell,
        ["kernel.osrelease", "kernel.no_such_thing", "net.ipv4.ip_local_port_range"].map(kernelSetting),
      );
      expect(release).toMatch(/^\d+\.\d+/);
      expect(none).toMatchObject({ reason: "the kernel has no setting kernel.no_such_thing" });
      expect(ports).toMatch(/^\d+ \d+$/);
    });
  },
);

describe("settingPath", () => {
  it.each([
    ["vm.swappiness", "/proc/sys/vm/swappiness"],
    ["net.ipv4.conf.eth0/100.mtu", "/proc/sys/net/ipv4/conf/eth0.100/mtu"],
    ["net/ipv4/conf/eth0.100/mtu", "/proc/sys/net/ipv4/conf/eth0.100/mtu"],
  ])("%s is %s", (name, path) => {
    expect(settingPath(name)).toBe(path);
  });
});

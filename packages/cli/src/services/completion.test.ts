import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { completionScript } from "./completion.ts";

const commands = [
  { name: "check", summary: "Find what's wrong", flags: ["json", "verbose"] },
  { name: "lab down", summary: "Remove a lab", flags: ["name"] },
  { name: "lab up", summary: "Boot a lab", flags: ["name"] },
  { name: "plan", summary: "Make a plan", flags: ["diff"] },
  { name: "plan show", summary: "Show a plan", flags: ["json"] },
];

/** What bash offers for the last of these words. */
function offered(...words: readonly string[]): readonly string[] {
  const script = `${completionScript("bash", commands)}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _kb; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync("bash", ["-c", script, "bash", "kb", ...words], { encoding: "utf8", cwd: import.meta.dirname })
    .split("\n")
    .filter((word) => word !== "");
}

it.each([
  [[""], ["check", "lab", "plan"]],
  [["pl"], ["plan"]],
  [
    ["lab", ""],
    ["down", "up"],
  ],
  [["lab", "up", "--"], ["--name"]],
  [["check", "--v"], ["--verbose"]],
  [["plan", "--"], ["--diff"]],
  [["plan", "s"], ["show"]],
  [["plan", "show", "--"], ["--json"]],
  // Where nothing fits, files are offered.
  [
    ["check", "completion.t"],
    ["completion.test.ts", "completion.ts"],
  ],
])("bash offers for kb %j", (words, expected) => {
  expect(offered(...words).toSorted()).toEqual(expected);
});

it("gives zsh bash's, and fish its own", () => {
  expect(completionScript("zsh", commands)).toMatch(/^autoload -U \+X bashcompinit && bashcompinit\n_kb\(\)/);
  const fish = completionScript("fish", commands);
  expect(fish).toContain("complete -c kb -n '__fish_use_subcommand' -f -a 'check' -d 'Find what\\'s wrong'\n");
  expect(fish).toContain("-n '__fish_seen_subcommand_from lab; and __fish_seen_subcommand_from up' -l name\n");
});

import { expect, it } from "vitest";
import { splitWords } from "./words.ts";

it.each([
  ["", []],
  ["  ", []],
  ["-J jump", ["-J", "jump"]],
  ["-o ProxyCommand='ssh -W %h:%p jump' -C", ["-o", "ProxyCommand=ssh -W %h:%p jump", "-C"]],
  ['-o "User Known=a b"  -q', ["-o", "User Known=a b", "-q"]],
  ['a\\ b "c\\"d" \'\'', ["a b", 'c"d', ""]],
])("%j", (line, words) => {
  expect(splitWords(line)).toEqual(words);
});

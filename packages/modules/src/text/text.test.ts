import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { setBlock } from "./block-edit.ts";
import { cronMarker, setCronEntry } from "./cron-edit.ts";
import { type FstabEntry, findEntry, setEntry } from "./fstab-edit.ts";
import { removeLines, setLine } from "./line-edit.ts";
import { joinLines, splitLines } from "./lines.ts";
import { findSetting, setSetting } from "./setting-edit.ts";

/** A file of lines with either line end, mixed ones too, with or without a newline at the end. */
function fileOf(line: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const ended = fc.tuple(line, fc.constantFrom("\n", "\r\n")).map((parts) => parts.join(""));
  return fc
    .tuple(fc.array(ended, { maxLength: 8 }), fc.oneof(fc.constant(""), line))
    .map(([lines, last]) => lines.join("") + last);
}

const anyLine = fc.string({ unit: "grapheme", maxLength: 12 }).filter((text) => !/[\n\r\0]/.test(text));
const word = fc.stringMatching(/^[a-z]{1,6}$/);

/** Every line that does not belong to an edit is as it was, line end included. A last line may be given one, and no more. */
function expectOthersUntouched(before: string, after: string, mine: (line: string) => boolean): void {
  const [was, is] = [before, after].map((text) => splitLines(text).filter((line) => !mine(line.text)));
  expect(is?.map(({ text }) => text)).toEqual(was?.map(({ text }) => text));
  for (const [index, line] of (was ?? []).entries()) if (line.end !== "") expect(is?.[index]?.end).toBe(line.end);
}

describe("lines", () => {
  it("come apart and together without loss", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("a", "\n", "\r", "é", " ") }), (text) => {
        expect(joinLines(splitLines(text))).toBe(text);
      }),
    );
  });
});

describe("setLine", () => {
  const line = fc.oneof(
    anyLine,
    fc.tuple(fc.constantFrom("alpha=", "#alpha=", "beta="), fc.nat(3)).map(([key, value]) => `${key}${value}`),
  );
  const place = fc.constantFrom(
    { at: "start" } as const,
    { at: "end" } as const,
    { before: /^beta/ },
    { after: /^beta/ },
  );

  it("is idempotent, leaves the line there once more at most, and other lines alone", () => {
    fc.assert(
      fc.property(fileOf(line), fc.nat(3), place, (text, value, where) => {
        const pattern = /^#?alpha=/;
        const wanted = `alpha=${value}`;
        const once = setLine(text, wanted, pattern, where);
        expect(setLine(once, wanted, pattern, where)).toBe(once);
        expect(splitLines(once).map(({ text: one }) => one)).toContain(wanted);
        expectOthersUntouched(text, once, (one) => pattern.test(one));
      }),
    );
  });

  it("changes nothing where the line is there and nothing is to be replaced", () => {
    fc.assert(
      fc.property(fileOf(line), anyLine, (text, wanted) => {
        const once = setLine(text, wanted, undefined, { at: "end" });
        expect(setLine(once, wanted, undefined, { at: "start" })).toBe(once);
      }),
    );
  });

  it("removes all that match, and nothing else", () => {
    fc.assert(
      fc.property(fileOf(line), (text) => {
        const once = removeLines(text, undefined, /^alpha=/);
        expect(once).not.toMatch(/^alpha=/m);
        expect(removeLines(once, undefined, /^alpha=/)).toBe(once);
        expect(splitLines(once)).toEqual(splitLines(text).filter((one) => !one.text.startsWith("alpha=")));
      }),
    );
  });

  it("keeps the file's line end, and a missing newline at the end where the last line is replaced", () => {
    expect(setLine("a=1\r\nb=2", "c=3", undefined, { at: "end" })).toBe("a=1\r\nb=2\r\nc=3\r\n");
    expect(setLine("a=1\r\nb=2", "b=3", /^b=/, { at: "end" })).toBe("a=1\r\nb=3");
    expect(setLine("", "a", undefined, { at: "end" })).toBe("a\n");
  });

  it("replaces the last match only", () => {
    expect(setLine("a=1\na=2\n", "a=3", /^a=/, { at: "end" })).toBe("a=1\na=3\n");
  });
});

/** The text as it was, with a newline at its end if the edit put one there to append behind it. */
function endedLike(text: string, edited: string): string {
  return edited.startsWith(`${text}\n`) ? `${text}\n` : edited.startsWith(`${text}\r\n`) ? `${text}\r\n` : text;
}

describe("setBlock", () => {
  const markers = { begin: "# BEGIN x", end: "# END x" };
  const plain = anyLine.filter((text) => text !== markers.begin && text !== markers.end);
  const block = fc.array(plain, { minLength: 1, maxLength: 4 }).map((lines) => `${lines.join("\n")}\n`);

  it("is idempotent, is found again, and can be taken out without a trace", () => {
    fc.assert(
      fc.property(fileOf(plain), block, block, fc.constantFrom("start", "end"), (text, first, second, at) => {
        const once = setBlock(text, first, markers, { at });
        expect(setBlock(once, first, markers, { at })).toBe(once);
        const twice = setBlock(once, second, markers, { at });
        expect(twice).toBe(setBlock(text, second, markers, { at }));
        expect(setBlock(twice, null, markers, { at })).toBe(endedLike(text, once));
      }),
    );
  });

  it.each(["# BEGIN x\n", "a\n# END x\n", "# END x\n# BEGIN x\n", "# BEGIN x\n# BEGIN x\n# END x\n"])(
    "refuses markers that are no pair: %j",
    (text) => {
      expect(() => setBlock(text, "a", markers, { at: "end" })).toThrow("the markers are no pair");
    },
  );
});

describe("setSetting", () => {
  const line = fc.oneof(
    anyLine.filter((text) => !text.includes("vm.swappiness")),
    fc.constantFrom("# vm.swappiness = 5", "vm.swappiness=5", "-vm/swappiness = 7 ", "vm.max_map_count = 1", ""),
  );
  const mine = (one: string): boolean => /^\s*-?\s*vm[./]swappiness\s*=/.test(one);

  it("leaves one line for the key and every other line alone", () => {
    fc.assert(
      fc.property(fileOf(line), fc.nat(100), (text, value) => {
        const once = setSetting(text, "vm.swappiness", String(value));
        expect(findSetting(once, "vm.swappiness")).toBe(String(value));
        expect(findSetting(once, "vm/swappiness")).toBe(String(value));
        expect(setSetting(once, "vm.swappiness", String(value))).toBe(once);
        expect(splitLines(once).filter((one) => mine(one.text))).toHaveLength(1);
        expectOthersUntouched(text, once, mine);
        const without = setSetting(text, "vm.swappiness", null);
        expect(splitLines(without)).toEqual(splitLines(text).filter((one) => !mine(one.text)));
      }),
    );
  });

  it("does not touch a line that only differs in blanks", () => {
    expect(setSetting("net.ipv4.tcp_rmem=4096\t131072 6\n", "net.ipv4.tcp_rmem", "4096 131072 6")).toBe(
      "net.ipv4.tcp_rmem=4096\t131072 6\n",
    );
  });
});

describe("setEntry", () => {
  const field = fc
    .stringMatching(/^[a-z0-9 =\\#/._-]{1,12}$/)
    .filter((text) => text.trim() !== "" && !text.startsWith("#"));
  const path = field.map((text) => `/${text.replace(/\/+/g, "")}x`);
  const entry: fc.Arbitrary<FstabEntry> = fc.record({
    src: field,
    path,
    fstype: word,
    opts: fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => words.join(",")),
    dump: fc.nat(1),
    passno: fc.nat(2),
  });
  const fstab = fileOf(
    fc.oneof(
      fc.constantFrom("# comment", "", "/dev/sda1 / ext4 errors=remount-ro 0 1", "tmpfs\t/tmp/ tmpfs # mine"),
      anyLine,
    ),
  );

  it("is read back as it was written, once, and leaves other lines alone", () => {
    fc.assert(
      fc.property(fstab, entry, (text, wanted) => {
        fc.pre(findEntry(text, wanted.path) === null);
        const once = setEntry(text, wanted.path, wanted);
        expect(findEntry(once, wanted.path)).toEqual(wanted);
        expect(setEntry(once, wanted.path, wanted)).toBe(once);
        expect(setEntry(once, wanted.path, null)).toBe(endedLike(text, once));
      }),
    );
  });

  it("replaces an entry in its place, and a second one for the same mount point", () => {
    const text = "/dev/a /data xfs defaults 0 0\n# x\n/dev/b /data/ ext4 defaults\n";
    const wanted = { src: "/dev/c", path: "/data", fstype: "xfs", opts: "noatime", dump: 0, passno: 0 };
    expect(setEntry(text, "/data", wanted)).toBe("/dev/c /data xfs noatime 0 0\n# x\n");
  });
});

describe("setCronEntry", () => {
  const line = fc.oneof(
    anyLine.filter((text) => !text.includes("#Ansible:")),
    fc.constantFrom("MAILTO=x", "# comment", "", "5 4 * * * /bin/other", "#Ansible: other", "#5 4 * * * /bin/off"),
  );
  const entry = word.map((job) => `5 4 * * * /bin/${job}`);

  it("is idempotent, and can be taken out without a trace", () => {
    fc.assert(
      fc.property(fileOf(line), word, entry, entry, (text, name, first, second) => {
        fc.pre(!splitLines(text).some((one) => one.text.trim() === cronMarker(name)));
        const once = setCronEntry(text, name, first);
        expect(setCronEntry(once, name, first)).toBe(once);
        const twice = setCronEntry(once, name, second);
        expect(twice).toBe(setCronEntry(text, name, second));
        expect(setCronEntry(twice, name, null)).toBe(endedLike(text, once));
      }),
    );
  });

  it.each([
    ["a disabled entry is replaced", "#Ansible: a\n#1 1 * * * old\nx\n", "#Ansible: a\n0 0 * * * new\nx\n"],
    ["a marker without an entry gets one", "#Ansible: a\n# mine\n", "#Ansible: a\n0 0 * * * new\n# mine\n"],
    ["a marker at the end gets one", "#Ansible: a", "#Ansible: a\n0 0 * * * new\n"],
  ])("%s", (_, text, expected) => {
    expect(setCronEntry(text, "a", "0 0 * * * new")).toBe(expected);
  });
});

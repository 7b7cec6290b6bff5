import { revealText, type Script } from "@keybuzz/runner";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { attempt, goodValue, MARK, named, scriptsOf } from "./attempts.ts";
import { ALL_MODULES, type AnyModule } from "./modules.ts";
import { type Site, sitesOf } from "./param-sites.ts";
import { CANARY, type Call, INTRUDER, Sandbox, shells, type Trace } from "./sandbox.ts";
import { sqlTokens } from "./sql-lexer.ts";

const sandbox = new Sandbox();
afterAll(() => sandbox.remove());

/** Milliseconds that random values are tried for, besides the list. */
const RANDOM_MS = 4_000;
const SEED = Number(process.env["KB_FUZZ_SEED"] ?? Date.now() % 1_000_000_000);

/** What breaks out of one kind of quoting or another, wherever one is wrong. */
const SNIPPETS: readonly string[] = [
  `$(${INTRUDER})`,
  `\`${INTRUDER}\``,
  `;${INTRUDER};`,
  `' ; ${INTRUDER} ; '`,
  `'\\'' ; ${INTRUDER} ; '\\''`,
  `";${INTRUDER};"`,
  `\\'$(${INTRUDER})\\"`,
  `|${INTRUDER}&${INTRUDER}`,
  `>${CANARY}`,
  `" >${CANARY} "`,
  ["$", "{IFS}$", "{HOME}$$$?$!"].join(""),
  "*?[a-z]~root!!",
  "%s%n\\033[31m\\",
  "'; DROP TABLE x; --",
  "\\'; DROP TABLE x; #",
  "`; DROP TABLE x; `",
  " \t ",
];

/** The same in few values, so that schemas that take one kind of character and not another let some through. */
const PAYLOADS: readonly string[] = [
  SNIPPETS.join(""),
  SNIPPETS.toReversed().join(""),
  SNIPPETS.join("").replaceAll(/[\s\\'"/]/g, ""),
  `\n${SNIPPETS.join("\n")}\nKB_EOF\n${INTRUDER}\nKB_OPTIONS\n${INTRUDER}\n.\n${INTRUDER}\n`,
  "\u001b[2J\u001b]52;c;eA==\u0007\r\u202eé\u{1f600}中\u00a0",
  `$(${INTRUDER})`,
];

interface Planned {
  readonly where: string;
  readonly module: AnyModule;
  readonly value: string;
  readonly payload: string;
  readonly script: Script;
}

const SITES = ALL_MODULES.flatMap((module) => sitesOf(module.spec.params).map((site) => ({ module, site })));

/** The same text with something put into its middle, and marks around that. */
function into(good: string, payload: string): string {
  const middle = Math.ceil(good.length / 2);
  return `${good.slice(0, middle)}${MARK}${payload}${MARK}${good.slice(middle)}`;
}

function plan(module: AnyModule, site: Site, value: string, payload: string, most = 3): readonly Planned[] {
  const outcome = attempt(module, site, value);
  if (outcome.kind !== "accepted") return [];
  const where = named(module, site);
  return scriptsOf(module, outcome.task)
    .filter(
      ({ script, stdin }) => script.text.includes(MARK) || (stdin !== undefined && revealText(stdin).includes(MARK)),
    )
    .slice(0, most)
    .map((script) => ({ where, module, value, payload, script }));
}

/** Scripts that one shell is given at a time. */
const CHUNK = 200;

/** Runs them, each in one of the shells; what is wrong with their calls, one line a fault, and not all of them. */
function faults(planned: readonly Planned[]): readonly string[] {
  return shells().flatMap((shell, number) => {
    const mine = planned.filter((_, index) => index % shells().length === number);
    const chunks = Array.from({ length: Math.ceil(mine.length / CHUNK) }, (_, n) =>
      mine.slice(n * CHUNK, (n + 1) * CHUNK),
    );
    return chunks.flatMap((chunk, n) => {
      // Programs that fail lead scripts elsewhere.
      const traces = sandbox.run(
        shell,
        chunk.map(({ script }) => script),
        n % 2,
      );
      const found = chunk.flatMap((one, at) => {
        const trace = traces[at];
        return trace === undefined
          ? []
          : faultsOf(one, trace).map((fault) => `${one.where} under ${shell[0]}: ${fault}`);
      });
      return found.slice(0, 5);
    });
  });
}

function faultsOf({ module, value, payload }: Planned, trace: Trace): readonly string[] {
  const { calls } = trace;
  const shown = JSON.stringify(value.slice(0, 120));
  if (calls.some(([program]) => program === INTRUDER)) return [`${shown} was executed`];
  const broken = calls.flatMap((call) => call.filter((word) => word.includes(MARK) && !isWhole(word, payload)));
  const options = calls.filter((call) => hasStrayOption(call, value));
  const dialect = module.spec.name.startsWith("proxysql") ? "sqlite" : "mariadb";
  const statements = trace.statements.filter((text) => !isInert(text, payload, dialect));
  const optionFiles = trace.options.filter((text) => text.includes(MARK) && !isWhole(optionValue(text), payload));
  return [
    ...broken.map((word) => `${shown} arrived as ${JSON.stringify(word.slice(0, 200))}`),
    ...options.map((call) => `${shown} is an option of ${JSON.stringify(call.slice(0, 12))}`),
    ...optionFiles.map((text) => `${shown} is an option file ${JSON.stringify(text.slice(0, 300))}`),
    ...statements.map((text) => `${shown} is SQL in ${JSON.stringify(text.slice(0, 300))}`),
  ];
}

/** Between two marks stands what was given, and nothing was lost on the way. */
function isWhole(word: string, payload: string): boolean {
  const parts = word.split(MARK);
  return (
    parts.length % 2 === 1 &&
    parts.every((part, index) => index % 2 === 0 || part === payload || part === payload.toLowerCase())
  );
}

/** Options that take the next word as their value, whatever it begins with. */
const TAKES_VALUE = new Set([
  ...[
    "-c",
    "-d",
    "-e",
    "-g",
    "-G",
    "-L",
    "-o",
    "-s",
    "-t",
    "-u",
    "--entrypoint",
    "--env-file",
    "--health-cmd",
    "--label",
  ],
  ...[
    "--mountpoint",
    "--name",
    "--network",
    "--restart",
    "--tmpfs",
    "--ulimit",
    "--user",
    "--volume",
    "--cap-add",
    "--cap-drop",
  ],
  ...["comment", "on", "--filter", "--format", "--time", "-printf", "-newermt"],
]);
/** Programs of their own grammar: awk(1) and python(1) stop at the program text, `[` and `printf` are built in. */
const NO_OPTIONS_AFTER_PROGRAM = new Set(["awk", "python3"]);

function hasStrayOption([program, ...words]: Call, value: string): boolean {
  if (!value.startsWith("-") || NO_OPTIONS_AFTER_PROGRAM.has(program)) return false;
  return words.some((word, index) => {
    if (
      !word.startsWith("-") ||
      !word.includes(MARK) ||
      word.startsWith("--user=") ||
      !word.startsWith(value.slice(0, 3))
    )
      return false;
    const before = words.slice(0, index);
    return !before.includes("--") && !TAKES_VALUE.has(before.at(-1) ?? "");
  });
}

/** Statements in which the value is one literal or name, and nothing else. */
function isInert(text: string, payload: string, dialect: "mariadb" | "sqlite"): boolean {
  return sqlTokens(text, dialect).every(
    ({ kind, value }) => !value.includes(MARK) || (kind !== "other" && isWhole(value, payload)),
  );
}

/** @see https://mariadb.com/kb/en/configuring-mariadb-with-option-files/ */
function optionValue(file: string): string {
  const inner = /^\[client\]\nloose-skip-print-query-on-error\npassword="([^\n]*)"\n$/.exec(file)?.[1] ?? "";
  const escapes: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", b: "\b", s: " " };
  return inner.replace(/\\(.)/gs, (_, char: string) => escapes[char] ?? char);
}

describe("a param's text", { timeout: 300_000 }, () => {
  it("is found in every module's schema", () => {
    expect(SITES.length).toBeGreaterThan(150);
    const without = ALL_MODULES.filter(({ spec }) => sitesOf(spec.params).length === 0).map(({ spec }) => spec.name);
    expect(without).toEqual(["ufw"]);
  });

  it("can be tried at every place, or is refused there by name", () => {
    const unknown = SITES.flatMap(({ module, site }) => {
      const outcomes = [goodValue(module, site), into(goodValue(module, site), "")].map((value) =>
        attempt(module, site, value),
      );
      const last = outcomes.find(({ kind }) => kind !== "unknown") ?? outcomes[0];
      return last?.kind === "unknown" ? [`${named(module, site)}: ${last.why.slice(0, 300)}`] : [];
    });
    expect(unknown).toEqual([]);
  });

  it("arrives as it is, and is executed nowhere", () => {
    const planned = SITES.flatMap(({ module, site }) => {
      const good = goodValue(module, site);
      return PAYLOADS.flatMap((payload, n) => plan(module, site, into(good, payload), payload, n === 0 ? 3 : 1));
    });
    expect(new Set(planned.map(({ where }) => where)).size).toBeGreaterThan(60);
    expect(faults(planned)).toEqual([]);
    expect(sandbox.broken).toBe(false);
  });

  it("is no option where it begins with a dash", () => {
    const planned = SITES.flatMap(({ module, site }) =>
      ["-", "--o="].flatMap((dash) => plan(module, site, `${dash}${MARK}${MARK}${goodValue(module, site)}`, "", 2)),
    );
    expect(faults(planned)).toEqual([]);
  });

  it("may be long", () => {
    const long = "x y".repeat(21_846);
    const planned = SITES.flatMap(({ module, site }) =>
      plan(module, site, into(goodValue(module, site), long), long, 1),
    );
    expect(faults(planned)).toEqual([]);
  });

  it.each([
    ["NUL", "a\0b"],
    ["half a surrogate pair", "a\ud800b"],
  ])("is refused when it is declared, or harmless, with %s", (_, part) => {
    const late = SITES.flatMap(({ module, site }) => {
      const outcome = attempt(module, site, into(goodValue(module, site), part));
      if (outcome.kind !== "accepted") return [];
      // A content may hold NUL: it goes as base64. Whatever else was let through would fail in the midst of a run.
      const texts = scriptsOf(module, outcome.task).map(({ script, stdin }) => script.text + revealText(stdin ?? ""));
      return texts.some((text) => text.includes(part)) ? [named(module, site)] : [];
    });
    expect(late).toEqual([]);
  });

  it(`arrives as it is whatever it is (KB_FUZZ_SEED=${SEED})`, () => {
    const text = fc.array(
      fc.oneof(
        fc.string({ unit: "binary", maxLength: 6 }),
        fc.constantFrom(..."'\"`\\$;&|<>(){}*?~#!%\n\t ", ...SNIPPETS),
      ),
      { minLength: 1, maxLength: 5 },
    );
    const payload = text
      .map((parts) => parts.join(""))
      .filter((one) => !one.includes("\0") && one.isWellFormed() && !one.includes(MARK));
    const batch = fc.array(fc.tuple(fc.nat(SITES.length - 1), payload), { minLength: 20, maxLength: 20 });
    fc.assert(
      fc.property(batch, (tries) => {
        const planned = tries.flatMap(([index, one]) => {
          const { module, site } = SITES[index] ?? { module: undefined, site: undefined };
          return module === undefined ? [] : plan(module, site, into(goodValue(module, site), one), one);
        });
        expect(faults(planned)).toEqual([]);
        expect(sandbox.broken).toBe(false);
      }),
      { seed: SEED, numRuns: 1000, interruptAfterTimeLimit: RANDOM_MS, endOnFailure: true },
    );
  });
});

import { tmpdir } from "node:os";
import { join } from "node:path";
import { $, chalk, fs } from "zx";

/**
 * `npm test`: types and style, then the suites one after the other: `unit`, `integration`, `e2e`; names as arguments run
 * only those. The last line sums up the runner's own counts.
 */
const SUITES = ["unit", "integration", "e2e"] as const;

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** What vitest's JSON reporter writes, as far as it is read here. */
interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly { readonly status: string; readonly assertionResults: readonly unknown[] }[];
}

const $show = $({ stdio: "inherit", nothrow: true });
const chosen = SUITES.filter((suite) => process.argv.length <= 2 || process.argv.includes(suite));
const total: Counts = { passed: 0, failed: 0, skipped: 0 };

console.log(chalk.bold("== types and style"));
const types = await $show`node_modules/.bin/tsc -p .`;
const style = await $show`node_modules/.bin/biome check .`;
const clean = types.exitCode === 0 && style.exitCode === 0;

if (chosen.some((suite) => suite !== "unit") && process.getuid?.() !== 0) {
  console.error("the integration and e2e suites boot real hosts, which takes root: sudo npm test, or npm test unit");
  process.exit(2);
}
for (const suite of chosen) {
  console.log(chalk.bold(`\n== ${suite}`));
  add(total, await runSuite(suite));
}
if (!clean) console.error("types or style are not clean: see the top");
console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed > 0 || !clean ? 1 : 0;

async function runSuite(suite: string): Promise<Counts> {
  const folder = await fs.mkdtemp(join(tmpdir(), "keybuzz-test-"));
  const file = join(folder, "report.json");
  const run =
    await $show`node_modules/.bin/node node_modules/vitest/vitest.mjs run --project ${suite} --reporter=default --reporter=json --outputFile.json=${file}`;
  try {
    return countsOf((await fs.readJson(file)) as VitestReport);
  } catch {
    console.error(`${suite}: vitest ended with ${run.exitCode} and left no report`);
    return { passed: 0, failed: 1, skipped: 0 };
  } finally {
    await fs.remove(folder);
  }
}

function countsOf(report: VitestReport): Counts {
  // A file that fails before its first test has no failed test; it counts as one.
  const broken = report.testResults.filter(
    ({ status, assertionResults }) => status === "failed" && assertionResults.length === 0,
  );
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + broken.length,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

function add(to: Counts, more: Counts): void {
  to.passed += more.passed;
  to.failed += more.failed;
  to.skipped += more.skipped;
}

import type { KbError, RunEvent, TaskResult } from "@keybuzz/runner";
import { summariseChanges } from "./change-lines.ts";
import type { Output, Reporter } from "./reporter.ts";
import { type Element, renderXml } from "./xml.ts";

interface Suite {
  readonly cases: Element[];
  failures: number;
  errors: number;
  skipped: number;
  ms: number;
}

/**
 * A report as JUnit writes it, for the test views of CI systems: a suite a host, a case a task. It is written as a whole
 * when the run is over.
 * @see https://github.com/testmoapp/junitxml
 */
export function junitReporter(output: Output): Reporter {
  const report = new JunitReport();
  return {
    emit: (event) => report.next(event),
    suspend: () => () => {},
    close: () => {
      if (report.begun) output.write(report.render());
    },
  };
}

class JunitReport {
  readonly #suites = new Map<string, Suite>();
  /** A failed task, until the error that says more comes. */
  readonly #failed = new Map<string, TaskResult>();
  #playbook = "";
  #ms = 0;

  get begun(): boolean {
    return this.#playbook !== "";
  }

  next(event: RunEvent): void {
    switch (event.type) {
      case "run-start":
        this.#playbook = event.playbook;
        for (const host of event.hosts) this.#suite(host);
        break;
      case "task-end":
        this.#task(event.result);
        break;
      case "host-unreachable":
        this.#error(event.host, "connect", event.error);
        break;
      case "host-failed":
        this.#fail(event.host, event.error);
        break;
      case "run-failed":
        this.#error(this.#playbook, "playbook", event.error);
        break;
      case "run-end":
        for (const result of this.#failed.values()) this.#failure(result, result.reason ?? "failed", "failed", "");
        this.#ms = event.ms;
        break;
      default:
        break;
    }
  }

  #suite(name: string): Suite {
    const known = this.#suites.get(name) ?? { cases: [], failures: 0, errors: 0, skipped: 0, ms: 0 };
    this.#suites.set(name, known);
    return known;
  }

  #task(result: TaskResult): void {
    if (result.outcome === "failed" && result.handled === undefined) {
      this.#failed.set(result.host, result);
      return;
    }
    const suite = this.#suite(result.host);
    suite.ms += result.ms;
    if (result.outcome === "ok" || result.outcome === "changed") {
      const said = result.outcome === "changed" ? `changed: ${summariseChanges(result.changes)}` : undefined;
      const content = said === undefined ? [] : [{ name: "system-out", attributes: {}, content: said }];
      suite.cases.push(this.#case(result, content));
      return;
    }
    suite.skipped += 1;
    const message = `${result.handled ?? result.outcome}: ${result.reason ?? ""}`;
    suite.cases.push(this.#case(result, [{ name: "skipped", attributes: { message } }]));
  }

  /** The error of a host belongs to the task that it failed at; one that was at none lost its connection, say. */
  #fail(host: string, error: KbError): void {
    const result = this.#failed.get(host);
    if (result === undefined) {
      this.#error(host, error.place.task ?? "run", error);
      return;
    }
    this.#failed.delete(host);
    this.#failure(result, error.message, error.code, describe(error));
  }

  #failure(result: TaskResult, message: string, type: string, content: string): void {
    const suite = this.#suite(result.host);
    suite.ms += result.ms;
    suite.failures += 1;
    suite.cases.push(this.#case(result, [{ name: "failure", attributes: { message, type }, content }]));
  }

  #error(suiteName: string, name: string, error: KbError): void {
    const suite = this.#suite(suiteName);
    suite.errors += 1;
    const attributes = { message: error.message, type: error.code };
    suite.cases.push({
      name: "testcase",
      attributes: { name, classname: `${this.#playbook}.${suiteName}`, time: seconds(0) },
      content: [{ name: "error", attributes, content: describe(error) }],
    });
  }

  #case({ host, task, where, ms }: TaskResult, content: readonly Element[]): Element {
    const [file, line] = where === undefined ? [] : splitWhere(where);
    const attributes = { name: task, classname: `${this.#playbook}.${host}`, time: seconds(ms) };
    const placed = file === undefined || line === undefined ? attributes : { ...attributes, file, line };
    return { name: "testcase", attributes: placed, content };
  }

  render(): string {
    const suites = [...this.#suites].map(([name, suite]) => ({
      name: "testsuite",
      attributes: { name, ...countsOf([suite]), time: seconds(suite.ms) },
      content: suite.cases,
    }));
    const all = countsOf([...this.#suites.values()]);
    return renderXml({
      name: "testsuites",
      attributes: { name: this.#playbook, ...all, time: seconds(this.#ms) },
      content: suites,
    });
  }
}

function countsOf(suites: readonly Suite[]): Readonly<Record<string, number>> {
  const sum = (of: (suite: Suite) => number): number => suites.reduce((all, suite) => all + of(suite), 0);
  return {
    tests: sum(({ cases }) => cases.length),
    failures: sum(({ failures }) => failures),
    errors: sum(({ errors }) => errors),
    skipped: sum(({ skipped }) => skipped),
  };
}

/** What came back, where, and what to try. */
function describe({ detail, hint, place }: KbError): string {
  const parts = [place.where, detail, hint === undefined ? undefined : `try: ${hint}`];
  return parts.filter((part) => part !== undefined && part !== "").join("\n");
}

/** `file:line` as its parts; the line is undefined where there is none. */
export function splitWhere(where: string): readonly [file: string, line: string | undefined] {
  const match = /^(.*):(\d+)$/.exec(where);
  return match === null ? [where, undefined] : [match[1] ?? "", match[2]];
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RunEvent } from "../events.ts";
import { ask } from "../probe.ts";
import { sh } from "../sh.ts";
import { at, type Fleet, holds, made, type PlayedFleet, playFleet } from "../testing/playing.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kb-rolling-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Puts a file on a host before the run. */
function put(host: string, name: string): void {
  mkdirSync(join(folder, host), { recursive: true });
  writeFileSync(join(folder, host, name), "");
}

/** The hosts that have a file. */
const having = (name: string): string[] =>
  readdirSync(folder)
    .filter((host) => existsSync(join(folder, host, name)))
    .sort();

const work = made({ name: "work" });
/** Fails where a file `broken` is. */
const fragile = made({ name: "work", by: sh`[ ! -e broken ] && : >work` });
/** A host is healthy unless a file `ill` is there. */
const health = ask(at(sh`[ ! -e ill ]`), ({ exitCode }) => exitCode === 0 || "it has a fever");

const batchesOf = (played: PlayedFleet): string[] =>
  played.events.flatMap((event) =>
    event.type === "batch" ? [`${event.group}${event.number}/${event.of} ${event.hosts.join(" ")}`] : [],
  );
const notes = (played: PlayedFleet): string[] =>
  played.events.flatMap((event) => (event.type === "note" ? [`${event.host}: ${event.text}`] : []));

const roll = (
  names: readonly string[],
  procedure: (fleet: Fleet) => Promise<unknown>,
  options: Parameters<typeof playFleet>[3] = {},
): Promise<PlayedFleet> =>
  playFleet(
    folder,
    names,
    async (fleet) => {
      await procedure(fleet);
    },
    options,
  );

describe("batches", () => {
  it("come one after the other in a group, and groups side by side", async () => {
    const order: string[] = [];
    const played = await roll(["a-1", "a-2", "b-1", "b-2"], (fleet) =>
      fleet.serial({ by: "cluster" }).each(async (batch, { group, number }) => {
        const names = batch.live.map(({ name }) => name).join(" ");
        order.push(`${names} begins`);
        // Each waits for its neighbour of the other group: it would wait for ever if groups came one after the other.
        const neighbour = join(folder, `${group === "a" ? "b" : "a"}-${number}`, "work");
        await batch.ensure([work, holds({ test: sh`[ -e ${neighbour} ]`, timeoutMs: 20_000 })]);
        order.push(`${names} ends`);
      }),
    );
    expect(played.exitCode).toBe(0);
    expect(order.filter((line) => line.startsWith("a"))).toEqual(["a-1 begins", "a-1 ends", "a-2 begins", "a-2 ends"]);
    expect(batchesOf(played).sort()).toEqual(["a1/2 a-1", "a2/2 a-2", "b1/2 b-1", "b2/2 b-2"]);
  });

  it("follow the order that is asked for, and pass over hosts that need nothing", async () => {
    const played = await roll(["a-1", "a-2", "a-3"], (fleet) =>
      fleet
        .serial({ order: (left, right) => right.name.localeCompare(left.name), only: ({ name }) => name !== "a-2" })
        .ensure([work]),
    );
    expect(batchesOf(played)).toEqual(["1/2 a-3", "2/2 a-1"]);
  });

  it("work on other hosts too: two groups that drain the same proxy wait for each other there", async () => {
    const played = await roll(["a-1", "b-1", "proxy"], async (fleet) => {
      const proxy = fleet.only("proxy");
      await fleet
        .where(({ name }) => name !== "proxy")
        .serial({ by: "cluster" })
        .each(async (batch, { group }) => {
          await proxy.ensure([
            made({
              name: `drained-${group}`,
              by: sh`mkdir busy && sleep 0.1 && rmdir busy && : >${`drained-${group}`}`,
            }),
          ]);
          await batch.ensure([work]);
        });
    });
    expect(played.error).toBeUndefined();
    expect(readdirSync(join(folder, "proxy")).filter((name) => name.startsWith("drained"))).toHaveLength(2);
  });

  it("leave the rest as it is after a failure", async () => {
    put("a-2", "broken");
    const played = await roll(["a-1", "a-2", "a-3"], (fleet) => fleet.serial(1).ensure([fragile]));
    expect(played.exitCode).toBe(1);
    expect(played.error?.message).toBe("stopped: a-2 failed");
    expect(played.error?.detail).toBe("left as they are: a-3");
    expect(having("work")).toEqual(["a-1"]);
  });
});

describe("budgets of failures", () => {
  const names = ["a-1", "a-2", "a-3", "a-4", "b-1", "b-2"];
  const fails = (...hosts: string[]): void => {
    for (const host of hosts) put(host, "broken");
  };

  it("put up with so many in a batch", async () => {
    fails("a-1", "a-2", "a-3");
    const played = await roll(names, (fleet) =>
      fleet.serial({ by: "cluster", max: 2, failures: { batch: "50%" } }).ensure([fragile]),
    );
    expect(played.error?.message).toBe("stopped: a-1, a-2 failed, and 1 of batch 1 of 2 of a may");
    expect(having("work")).toEqual(["b-1", "b-2"]);
  });

  it("put up with so many in the run, over all groups", async () => {
    fails("a-1", "b-1");
    const played = await roll(names, (fleet) =>
      fleet.serial({ by: "cluster", failures: { run: 2 } }).ensure([fragile]),
    );
    expect(played.error).toBeUndefined();
    expect(played.exitCode).toBe(1);
    expect(having("work")).toEqual(["a-2", "a-3", "a-4", "b-2"]);
  });

  it("stop all groups where the run's is used up, or any error is fatal", async () => {
    fails("b-1");
    for (const rules of [{ failures: { run: 0 } }, { failures: { run: 5 }, anyErrorsFatal: true }]) {
      const failure = Promise.withResolvers<void>();
      const emit = ({ type }: RunEvent): void => {
        if (type === "host-failed") failure.resolve();
      };
      const procedure = (fleet: Fleet) =>
        fleet.serial({ by: "cluster", ...rules }).each(async (batch, { group }) => {
          await batch.ensure([fragile]);
          // The other group is under way until the failure has been counted.
          if (group !== "a") return;
          await failure.promise;
          await new Promise((resolve) => setImmediate(resolve));
        });
      const played = await roll(names, procedure, { emit });
      expect(played.error?.message).toBe("stopped: b-1 failed");
      expect(having("work")).toEqual(["a-1"]);
    }
  });
});

it("tells why each group stopped", async () => {
  put("a-1", "broken");
  put("b-1", "broken");
  const played = await roll(["a-1", "a-2", "b-1", "b-2"], (fleet) => fleet.serial({ by: "cluster" }).ensure([fragile]));
  expect(played.error?.message).toBe("stopped: a-1 failed; stopped: b-1 failed");
  expect(played.error?.detail).toBe("left as they are: a-2\nleft as they are: b-2");
});

it("knows the vars that hosts can be grouped by", () => {
  // @ts-expect-error: a slip of the pen
  const wrong = (fleet: Fleet) => fleet.serial({ by: "clutser" });
  expect(wrong).toBeTypeOf("function");
});

describe("gates", () => {
  const names = ["a-1", "a-2", "a-3"];

  it("hold on the whole group before a batch, those outside of the limit included", async () => {
    put("a-3", "ill");
    const played = await roll(
      names,
      (fleet) => fleet.serial({ gate: { before: health }, gateTimeoutMs: 0 }).ensure([work]),
      { limit: ["a-1"] },
    );
    expect(played.error?.message).toBe("stopped: gate before batch 1 of 1: a-3 not healthy");
    expect(played.error?.detail).toBe("a-3: it has a fever\nleft as they are: a-1");
    expect(having("work")).toEqual([]);
  });

  it("are asked until they hold", async () => {
    put("a-3", "ill");
    let asked = 0;
    const recovers = ask(at(sh`[ ! -e ill ]`), ({ exitCode }) => {
      if (exitCode !== 0 && ++asked === 3) rmSync(join(folder, "a-3", "ill"));
      return exitCode === 0;
    });
    const played = await roll(names, (fleet) =>
      fleet.serial({ gate: { before: recovers }, gateIntervalMs: 10 }).ensure([work]),
    );
    expect(played.exitCode).toBe(0);
    expect(having("work")).toEqual(names);
  });

  it("fail a host that is not well after its batch, and so stop", async () => {
    const falls = made({ name: "work", by: sh`: >work; : >ill` });
    const played = await roll(names, (fleet) => fleet.serial({ gate: health, gateTimeoutMs: 0 }).ensure([falls]));
    expect(played.error?.message).toBe("stopped: a-1 failed");
    expect(played.recap.map(({ host, failed }) => [host, failed])).toEqual([
      ["a-1", 1],
      ["a-2", 0],
      ["a-3", 0],
    ]);
    expect(having("work")).toEqual(["a-1"]);
  });

  it("are asked again where they could not be answered: a server may be restarting", async () => {
    let asked = 0;
    const restarting = ask(sh`true`, () => {
      if (++asked <= 3) throw new Error("cannot connect to the server");
      return true;
    });
    const rules = { gate: { after: restarting }, gateIntervalMs: 10 };
    const played = await roll(["a-1"], (fleet) => fleet.serial(rules).ensure([work]));
    expect(played.exitCode).toBe(0);
    asked = -1000;
    const never = await roll(["a-1"], (fleet) => fleet.serial({ ...rules, gateTimeoutMs: 50 }).ensure([work]));
    expect(never.error?.message).toBe("stopped: a-1 failed");
  });

  it("take tasks that wait by themselves, and none that declare anything", async () => {
    put("a-2", "ill");
    const gate = [holds({ test: sh`[ ! -e ill ]` })];
    const played = await roll(names, (fleet) => fleet.serial({ gate }).ensure([work]));
    expect(played.error?.message).toBe("stopped: gate before batch 1 of 3: a-2 not healthy");
    expect(played.recap.map(({ ignored, failed }) => [ignored, failed])).toEqual([
      [0, 0],
      [0, 0],
      [0, 0],
    ]);
    const wrong = await roll(names, (fleet) => fleet.serial({ gate: [work] }).ensure([work]));
    expect(wrong.exitCode).toBe(70);
    expect(wrong.error?.message).toContain("made work is no gate");
  });
});

describe("a floor of healthy hosts", () => {
  const names = ["a-1", "a-2", "a-3"];
  const rules = { minHealthy: "quorum", gate: health, gateTimeoutMs: 0 } as const;

  it("puts up with an ill host, and mends it in its turn", async () => {
    put("a-1", "ill");
    const mends = made({ name: "work", by: sh`rm -f ill; : >work` });
    const played = await roll(names, (fleet) => fleet.serial(rules).ensure([mends]));
    expect(played.exitCode).toBe(0);
    expect(having("work")).toEqual(names);
    const spared = await roll(names.slice(1), (fleet) => {
      put("a-3", "ill");
      return fleet.serial({ ...rules, minHealthy: 0 }).ensure([work]);
    });
    expect(spared.events.some(({ type }) => type === "failure-handled")).toBe(true);
  });

  it("is not gone below: a host is left alone where the others are too few", async () => {
    put("a-3", "ill");
    const played = await roll(names, (fleet) => fleet.serial(rules).ensure([work]));
    expect(played.exitCode).toBe(1);
    expect(played.error?.message).toBe(
      "stopped: gate before batch 1 of 3: 1 healthy beside a-1, and 2 of 3 have to be",
    );
    expect(having("work")).toEqual([]);
  });

  it("counts hosts that have failed, whatever the budget of failures", async () => {
    put("a-1", "broken");
    const played = await roll(names, (fleet) =>
      fleet.serial({ minHealthy: "quorum", failures: { run: 3 } }).ensure([fragile]),
    );
    expect(played.error?.message).toContain("1 healthy beside a-2, and 2 of 3 have to be");
    expect(played.error?.detail).toContain("a-1 has left the run: failed with exit code 1");
    expect(having("work")).toEqual([]);
  });
});

describe("check mode", () => {
  const names = ["a-1", "a-2"];
  const check = { mode: "check" } as const;

  it("lists the changes of all batches, asks no gate twice, and says which gate is open", async () => {
    put("a-2", "ill");
    const played = await roll(names, (fleet) => fleet.serial({ gate: health }).ensure([work]), check);
    expect(played.exitCode).toBe(0);
    expect(played.results.filter(({ outcome }) => outcome === "changed").map(({ host }) => host)).toEqual(names);
    expect(notes(played)).toEqual([
      "a-2: gate before batch 1 of 2: it has a fever; a run waits for it, and stops if it does not come",
    ]);
    expect(played.results.filter(({ outcome }) => outcome === "skipped").length).toBeGreaterThan(0);
    expect(having("work")).toEqual([]);
  });

  it("does not hold a gate against changes that are still to be made", async () => {
    const gate = { after: ask(at(sh`[ -e work ]`), ({ exitCode }) => exitCode === 0) };
    const played = await roll(names, (fleet) => fleet.serial({ gate }).ensure([work]), check);
    expect(played.exitCode).toBe(0);
    expect(notes(played)).toEqual([]);
  });

  it("stops where a run would: at a host that cannot be used", async () => {
    const connect: Parameters<typeof playFleet>[3] = { ...check };
    const played = await roll(
      ["a-1", "a-2", "a-3"],
      async (fleet) => {
        await fleet.only("a-3").probe(
          ask(sh`:`, () => {
            throw new Error("cannot be read");
          }),
        );
        await fleet.only("a-2").probe(
          ask(sh`:`, () => {
            throw new Error("cannot be read");
          }),
        );
        await fleet.serial({ minHealthy: 2 }).ensure([work]);
      },
      connect,
    );
    expect(played.error?.message).toContain("0 healthy beside a-1");
  });
});

it("stops before the next batch when interrupted", async () => {
  const abort = new AbortController();
  const onEvent = (event: RunEvent): void => {
    if (event.type === "batch") abort.abort();
  };
  const played = await roll(["a-1", "a-2"], (fleet) => fleet.serial(1).each(async () => {}), {
    interrupt: abort.signal,
    emit: onEvent,
  });
  expect(played.exitCode).toBe(130);
  expect(batchesOf(played)).toEqual(["1/2 a-1"]);
});

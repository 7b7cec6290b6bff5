import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ConnectError, TasksFailedError } from "../errors.ts";
import { ask } from "../probe.ts";
import { sh } from "../sh.ts";
import { type Fleet, holds, made, type PlayedFleet, playFleet } from "../testing/playing.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kb-lists-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const play = (
  names: readonly string[],
  procedure: Parameters<typeof playFleet>[2],
  options: Parameters<typeof playFleet>[3] = {},
): Promise<PlayedFleet> => playFleet(folder, names, procedure, options);

function put(host: string, name: string): void {
  mkdirSync(join(folder, host), { recursive: true });
  writeFileSync(join(folder, host, name), "");
}
const having = (name: string): string[] =>
  readdirSync(folder)
    .filter((host) => existsSync(join(folder, host, name)))
    .sort();
const ended = (played: PlayedFleet): string[] =>
  played.results.map(({ host, id, outcome }) => `${host} ${id} ${outcome}`);
const counts = (played: PlayedFleet): string[] =>
  played.recap.map(({ host, failed, rescued, ignored }) => `${host} ${failed}/${rescued}/${ignored}`);

const one = made({ name: "one" });
const two = made({ name: "two" });
/** Fails where a file `broken` is. */
const fragile = made({ name: "fragile", by: sh`[ ! -e broken ] && : >fragile` });
const slowOnA = (host: { readonly name: string }) =>
  made({ name: "one", by: host.name === "a-1" ? sh`sleep 0.3; : >one` : sh`: >one` });

describe("strategies", () => {
  it("free: each host goes on at its own pace", async () => {
    // The first task of the one waits for the last of the other.
    const waits = holds({ test: sh`[ -e ../b-1/two ]`, timeoutMs: 20_000 });
    const played = await play(["a-1", "b-1"], async (fleet) => {
      await fleet.ensure(({ name }) => [...(name === "a-1" ? [waits] : []), one, two]);
    });
    expect(played.exitCode).toBe(0);
    expect(having("two")).toEqual(["a-1", "b-1"]);
  });

  it("linear: no host begins a task before all are done with the last", async () => {
    const played = await play(["a-1", "b-1"], async (fleet) => {
      await fleet.ensure((host) => [slowOnA(host), two], { strategy: "linear" });
    });
    expect(ended(played).slice(0, 2).sort()).toEqual(["a-1 one changed", "b-1 one changed"]);
    expect(ended(played).slice(2).sort()).toEqual(["a-1 two changed", "b-1 two changed"]);
  });

  it("linear: a host that failed is waited for no more, and its rest is not begun", async () => {
    put("a-1", "broken");
    const played = await play(["a-1", "b-1"], async (fleet) => {
      const { failed, changed } = await fleet.with({ strategy: "linear" }).ensure([fragile, two]);
      expect([failed, changed]).toEqual([["a-1"], ["b-1"]]);
    });
    expect(played.exitCode).toBe(1);
    expect(having("two")).toEqual(["b-1"]);
  });

  it("linear: stops before the next task where more failed than may", async () => {
    put("a-1", "broken");
    const rules = [{ anyErrorsFatal: true }, { maxFailures: 0 }, { maxFailures: "49%" }] as const;
    for (const rule of rules) {
      const played = await play(["a-1", "b-1"], async (fleet) => {
        await fleet.ensure([fragile, two], { strategy: "linear", ...rule });
      });
      expect(played.error?.message).toBe("stopped: a-1 failed");
      expect(having("two")).toEqual([]);
    }
    const tolerant = await play(["a-1", "b-1"], async (fleet) => {
      await fleet.ensure([fragile, two], { strategy: "linear", maxFailures: "50%" });
    });
    expect(tolerant.error).toBeUndefined();
    expect(having("two")).toEqual(["b-1"]);
  });
});

describe("failures", () => {
  const rescue = async (fleet: Fleet): Promise<void> => {
    try {
      await fleet.ensure([fragile], { onFailure: "throw" });
      await fleet.ensure([two]);
    } catch (error) {
      if (!(error instanceof TasksFailedError)) throw error;
      await fleet.only(...error.hosts).ensure([made({ name: "rescue" })]);
    } finally {
      await fleet.ensure([made({ name: "always" })]);
    }
  };

  it("are rescued on the very host, in check mode without a failure nothing is", async () => {
    put("a-1", "broken");
    const checked = await play(["a-1", "b-1"], rescue, { mode: "check" });
    expect(checked.exitCode).toBe(0);
    expect(ended(checked).filter((line) => line.includes("rescue"))).toEqual([]);
    expect(ended(checked).filter((line) => line.includes("always"))).toHaveLength(2);
    const played = await play(["a-1", "b-1"], rescue);
    expect(played.exitCode).toBe(0);
    expect(having("rescue")).toEqual(["a-1"]);
    expect(having("always")).toEqual(["a-1", "b-1"]);
    expect(having("two")).toEqual([]);
    expect(counts(played)).toEqual(["a-1 0/1/0", "b-1 0/0/0"]);
  });

  it("of questions that make no sense are rescued in check mode too", async () => {
    const odd = {
      ...one,
      probe: {
        ...one.probe,
        parse: (): never => {
          throw new Error("odd");
        },
      },
    };
    const played = await play(
      ["a-1"],
      async (fleet) => {
        await fleet.ensure([odd], { onFailure: "throw" }).catch(() => fleet.ensure([two]));
      },
      { mode: "check" },
    );
    expect(ended(played)).toEqual(["a-1 one failed", "a-1 two changed"]);
    expect(counts(played)).toEqual(["a-1 0/1/0"]);
  });

  it("that nobody catches are the hosts' own", async () => {
    put("a-1", "broken");
    const played = await play(["a-1", "b-1"], async (fleet) => {
      await fleet.ensure([fragile], { onFailure: "throw" });
    });
    expect(played.exitCode).toBe(1);
    expect(played.error?.message).toBe("a-1 failed");
    expect(counts(played)).toEqual(["a-1 1/0/0", "b-1 0/0/0"]);
  });

  it("are put up with where they are ignored", async () => {
    put("a-1", "broken");
    const played = await play(["a-1", "b-1"], async (fleet) => {
      const { failed } = await fleet.ensure([fragile, one], { onFailure: "ignore" });
      expect(failed).toEqual(["a-1"]);
      await fleet.ensure([two]);
    });
    expect(played.exitCode).toBe(0);
    expect(having("one")).toEqual(["b-1"]);
    expect(having("two")).toEqual(["a-1", "b-1"]);
    expect(counts(played)).toEqual(["a-1 0/0/1", "b-1 0/0/0"]);
  });

  it("of the connection are final, whatever was asked for", async () => {
    const played = await play(
      ["a-1"],
      async (fleet) => {
        expect((await fleet.ensure([one], { onFailure: "throw" })).failed).toEqual(["a-1"]);
      },
      {
        connect: async ({ name }) => {
          throw new ConnectError("no route to it", { host: name });
        },
      },
    );
    expect(played.exitCode).toBe(4);
    expect(counts(played)).toEqual(["a-1 0/0/0"]);
  });
});

describe("work for others", () => {
  it("is done for one host after the other, on all that work", async () => {
    const played = await play(["a-1", "a-2", "p-1", "p-2"], async (fleet) => {
      const nodes = fleet.where(({ vars }) => vars.cluster === "a");
      const proxies = fleet.where(({ vars }) => vars.cluster === "p");
      const { changed } = await nodes.delegate(proxies, (node, on) => [made({ name: `${node.name}-on-${on.name}` })]);
      expect(changed).toEqual(["a-1", "a-2"]);
    });
    expect(having("a-1-on-p-1")).toEqual(["p-1"]);
    expect(ended(played).filter((line) => line.startsWith("p-2"))).toEqual([
      "p-2 a-1-on-p-2 changed",
      "p-2 a-2-on-p-2 changed",
    ]);
  });

  it("that fails is the failure of the host that it was for", async () => {
    put("p-1", "broken");
    const played = await play(["a-1", "a-2", "p-1"], async (fleet) => {
      const nodes = fleet.where(({ vars }) => vars.cluster === "a");
      await nodes.delegate(fleet.only("p-1"), ({ name }) => [name === "a-1" ? fragile : one]);
      expect(nodes.live.map(({ name }) => name)).toEqual(["a-2"]);
      await fleet.ensure([two]);
    });
    expect(played.exitCode).toBe(1);
    expect(having("two")).toEqual(["a-2", "p-1"]);
    expect(counts(played)).toEqual(["a-1 1/0/0", "a-2 0/0/0", "p-1 0/0/0"]);
  });

  it("is refused where one that is to work may not be changed", async () => {
    const played = await play(
      ["a-1", "p-1"],
      async (fleet) => {
        await fleet.only("a-1").delegate(fleet.only("p-1"), () => [one]);
      },
      { limit: ["a-1"] },
    );
    expect(played.error?.message).toBe("there is work to do on p-1 for other hosts, and p-1 cannot be used");
    expect(played.error?.detail).toBe("p-1: outside of --limit");
  });

  it("begins at a task for all of them alike", async () => {
    const played = await play(
      ["a-1", "a-2", "p-1"],
      async (fleet) => {
        const nodes = fleet.where(({ vars }) => vars.cluster === "a");
        await nodes.delegate(fleet.only("p-1"), ({ name }) => [
          made({ name: `${name}-x` }),
          made({ name: `${name}-y` }),
        ]);
      },
      { select: { startAt: "made *-y" } },
    );
    expect(ended(played)).toEqual(["p-1 a-1-y changed", "p-1 a-2-y changed"]);
  });

  it("is done by the controller too, and once for each group", async () => {
    const marker = join(folder, "controller");
    const played = await play(["a-1", "a-2", "b-1"], async (fleet, { controller }) => {
      const first = fleet.once({ per: "cluster" });
      expect(first.live.map(({ name }) => name)).toEqual(["a-1", "b-1"]);
      expect(fleet.once().live.map(({ name }) => name)).toEqual(["a-1"]);
      await first.ensure([one]);
      await fleet.delegate(controller, ({ name }) => [
        { ...made({ name: `${marker}-${name}`, by: sh`true` }), probe: holds({ test: sh`true` }).probe },
      ]);
    });
    expect(played.results.filter(({ host }) => host === "controller")).toHaveLength(3);
    expect(having("one")).toEqual(["a-1", "b-1"]);
  });
});

it("has a host do one thing at a time, whoever asks", async () => {
  const busy = (name: string) => made({ name, by: sh`mkdir busy && sleep 0.1 && rmdir busy && : >${name}` });
  const played = await play(["a-1"], async (fleet) => {
    await Promise.all([
      fleet.ensure([busy("x")]),
      fleet.ensure([busy("y")]),
      fleet.probe(ask(sh`true`, ({ exitCode }) => exitCode)),
    ]);
  });
  expect(played.exitCode).toBe(0);
  expect(having("x")).toEqual(having("y"));
});

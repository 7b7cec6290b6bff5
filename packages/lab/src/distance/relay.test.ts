import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { delayLine, type LinkQuality } from "./relay.ts";

function line(quality: () => LinkQuality) {
  const arrived: { readonly text: string; readonly at: number }[] = [];
  const start = performance.now();
  const push = delayLine(quality, (frame) => arrived.push({ text: frame.toString(), at: performance.now() - start }));
  return { arrived, push: (text: string) => push(Buffer.from(text)) };
}

describe("delayLine", () => {
  it("holds a frame back by half of the round trip", async () => {
    const { arrived, push } = line(() => ({ rttMs: 60 }));
    push("a");
    await sleep(80);
    expect(arrived.map(({ text }) => text)).toEqual(["a"]);
    expect(arrived[0]?.at).toBeGreaterThanOrEqual(29);
  });

  it("keeps the order when the distance becomes shorter under way", async () => {
    let rttMs = 60;
    const { arrived, push } = line(() => ({ rttMs }));
    push("first");
    rttMs = 0;
    push("second");
    await sleep(80);
    expect(arrived.map(({ text }) => text)).toEqual(["first", "second"]);
  });

  it("sends at once over no distance, and nothing over a link that is cut or loses all", () => {
    const { arrived, push } = line(() => ({ rttMs: 0 }));
    push("a");
    expect(arrived).toHaveLength(1);
    for (const quality of [
      { rttMs: 0, cut: true },
      { rttMs: 0, dropPercent: 100 },
    ]) {
      const broken = line(() => quality);
      broken.push("a");
      expect(broken.arrived).toEqual([]);
    }
  });
});

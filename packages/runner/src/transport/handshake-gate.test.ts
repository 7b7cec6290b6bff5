import { expect, it } from "vitest";
import { HandshakeGate } from "./handshake-gate.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it("lets so many in at once, fewer when narrowed, and everybody in the end", async () => {
  const gate = new HandshakeGate(4);
  let inside = 0;
  const seen: number[] = [];
  const all = Array.from({ length: 40 }, (_, index) =>
    gate.pass(async () => {
      inside += 1;
      seen.push(inside);
      if (index === 8) gate.narrow();
      await turn();
      inside -= 1;
    }),
  );
  await Promise.all(all);
  expect(seen).toHaveLength(40);
  expect(Math.max(...seen.slice(0, 9))).toBe(4);
  expect(Math.max(...seen.slice(12))).toBe(2);
});

it("gives a place back after a failure", async () => {
  const gate = new HandshakeGate(1);
  await expect(gate.pass(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
  await expect(gate.pass(async () => "yes")).resolves.toBe("yes");
});

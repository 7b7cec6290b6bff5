import { describe, expect, it } from "vitest";
import { type FilesLayer, recipeKey } from "./recipe.ts";

const layer = (from: string, fingerprint: string): FilesLayer => ({
  kind: "files",
  name: "program",
  files: [{ kind: "copy", path: "/usr/bin/program", from, mode: 0o755, fingerprint }],
});

describe("recipeKey", () => {
  it("is 16 hex digits", () => {
    expect(recipeKey(layer("/a", "1"))).toMatch(/^[0-9a-f]{16}$/);
  });

  it("does not depend on where a copied file lies, so that checkouts share what they build", () => {
    expect(recipeKey(layer("/one/checkout", "1"))).toBe(recipeKey(layer("/another", "1")));
  });

  it("changes with a copied file's content", () => {
    expect(recipeKey(layer("/a", "1"))).not.toBe(recipeKey(layer("/a", "2")));
  });

  it("does not depend on the order of keys", () => {
    expect(recipeKey({ a: 1, b: { c: 2, d: 3 } })).toBe(recipeKey({ b: { d: 3, c: 2 }, a: 1 }));
  });

  it("depends on the order of lists: layers are stacked", () => {
    expect(recipeKey({ layers: ["a", "b"] })).not.toBe(recipeKey({ layers: ["b", "a"] }));
  });

  it("depends on a field named `from` of anything that is no copied file", () => {
    expect(recipeKey({ from: "a" })).not.toBe(recipeKey({ from: "b" }));
  });
});

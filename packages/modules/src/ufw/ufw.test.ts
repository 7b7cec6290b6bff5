import { moduleSuite } from "@keybuzz/runner/testing";
import { describe, expect, it } from "vitest";
import { ufw } from "./ufw.ts";

moduleSuite(ufw, import.meta.url);

const DISABLED = {
  state: "disabled",
  default: { incoming: "deny", outgoing: "allow", routed: "deny" },
  logging: "low",
};

function scripts(task: ReturnType<typeof ufw>, state: typeof DISABLED): readonly string[] {
  return task
    .assess(state)
    .actions()
    .map((action) => (action.kind === "exec" ? action.script.text : action.kind));
}

describe("ufw", () => {
  it("looks whether ssh stays open before anything else, whenever it closes what was open", () => {
    expect(scripts(ufw({ state: "enabled" }), DISABLED)[0]).toContain("SSH_CONNECTION");
    const open = { ...DISABLED, state: "enabled", default: { ...DISABLED.default, incoming: "allow" } };
    expect(scripts(ufw({ default: { incoming: "deny" } }), open)[0]).toContain("SSH_CONNECTION");
  });

  it("does not look where ssh is not concerned", () => {
    const enabled = { ...DISABLED, state: "enabled" };
    expect(scripts(ufw({ logging: "high" }), enabled)).toEqual(["ufw logging high"]);
    expect(scripts(ufw({ state: "disabled" }), enabled)).toEqual(["ufw disable"]);
  });
});

import { moduleSuite } from "@keybuzz/runner/testing";
import { describe, expect, it } from "vitest";
import { dockerEngine } from "./docker-engine.ts";

moduleSuite(dockerEngine, import.meta.url);

describe("docker_engine", () => {
  it("leaves keys alone that it is not told of, and removes what is null", () => {
    const found = {
      daemon: { "log-driver": "local", debug: true },
      state: "started",
      enabled: "enabled",
      outdated: false,
    };
    const { wanted } = dockerEngine({ daemon: { debug: null, "data-root": "/data/docker" } }).assess(found);
    expect(wanted?.["daemon"]).toEqual({ "log-driver": "local", "data-root": "/data/docker" });
  });
});

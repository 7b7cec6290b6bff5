import { afterAll, beforeAll, describe } from "vitest";
import { Fleet } from "../support/fleet.ts";
import { convergence } from "./suites/convergence.ts";
import { drift } from "./suites/drift.ts";
import { failOver } from "./suites/fail-over.ts";
import { incidents } from "./suites/incidents.ts";
import { outages } from "./suites/outages.ts";

/** One lab, converged once: each suite finds what the one before it left, and leaves a cluster that is whole. */
describe("Module 7 in containers", () => {
  const fleet = new Fleet("e2edocker", "docker");
  beforeAll(() => fleet.up());
  afterAll(() => fleet.down());

  convergence(fleet, { killedAfterMs: undefined });
  drift(fleet);
  failOver(fleet);
  incidents(fleet);
  outages(fleet);
});

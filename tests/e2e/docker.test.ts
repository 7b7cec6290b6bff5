import { afterAll, beforeAll, describe } from "vitest";
import { Fleet } from "../support/fleet.ts";
import { backup } from "./suites/backup.ts";
import { convergence } from "./suites/convergence.ts";
import { drift } from "./suites/drift.ts";
import { failOver } from "./suites/fail-over.ts";
import { incidents } from "./suites/incidents.ts";
import { outages } from "./suites/outages.ts";
import { recovery } from "./suites/recovery.ts";
import { rolling } from "./suites/rolling.ts";

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
  recovery(fleet, { whole: true });
  rolling(fleet, { whole: true });
  backup(fleet);
});

import { afterAll, beforeAll, describe } from "vitest";
import { Fleet } from "../support/fleet.ts";
import { convergence } from "./suites/convergence.ts";
import { drift } from "./suites/drift.ts";
import { failOver } from "./suites/fail-over.ts";
import { recovery } from "./suites/recovery.ts";
import { rolling } from "./suites/rolling.ts";

/** One lab, converged once: each suite finds what the one before it left, and leaves a cluster that is whole. */
describe("Module 7 from Debian packages", () => {
  const fleet = new Fleet("e2enative", "native");
  beforeAll(() => fleet.up());
  afterAll(() => fleet.down());

  convergence(fleet, { killedAfterMs: 20_000 });
  drift(fleet);
  failOver(fleet);
  recovery(fleet, { whole: false });
  rolling(fleet, { whole: false });
});

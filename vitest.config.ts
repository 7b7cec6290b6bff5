import { defineConfig } from "vitest/config";

/** Three suites: `unit` beside the code, `integration` and `e2e` on the lab's hosts. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          // Real shells and processes on a machine that may be busy.
          testTimeout: 60_000,
          include: [
            "packages/**/*.test.ts",
            "roles/**/*.test.ts",
            "inventories/*.test.ts",
            "tests/*.test.ts",
            "tests/security/**/*.test.ts",
          ],
        },
      },
      {
        test: {
          name: "integration",
          include: ["tests/integration/**/*.test.ts"],
          // Each file has a lab of its own, and waits for its hosts most of the time.
          maxWorkers: 2,
          testTimeout: 180_000,
          hookTimeout: 400_000,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["tests/e2e/**/*.test.ts"],
          fileParallelism: false,
          testTimeout: 600_000,
          hookTimeout: 600_000,
          bail: 0,
        },
      },
    ],
  },
});

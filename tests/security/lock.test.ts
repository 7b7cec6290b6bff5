import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { file } from "@keybuzz/modules";
import { definePlaybook, play, type RunEvent } from "@keybuzz/runner";
import { localInventory } from "@keybuzz/runner/testing";
import { expect, it } from "vitest";
import * as z from "zod";
import { makeConnect } from "../../packages/runner/src/transport/connect.ts";

it("does not write through a link that stands where a host's lock belongs", async () => {
  const folder = mkdtempSync(join(tmpdir(), "kb-lock-"));
  try {
    const uid = process.getuid?.() ?? 0;
    writeFileSync(join(folder, "precious"), "precious\n");
    symlinkSync(join(folder, "precious"), join(folder, uid === 0 ? "keybuzz.lock" : `keybuzz-${uid}.lock`));
    const playbook = definePlaybook({
      name: "lock",
      summary: "A file",
      groups: { all: z.object({}) },
      run: async ({ all }) => void (await all.ensure([file({ path: join(folder, "made") })])),
    });
    const events: RunEvent[] = [];
    const report = await play(playbook, {
      inventory: localInventory(["db1"]),
      connect: makeConnect({ hostKeys: "off" }),
      lockFolder: folder,
      mode: "apply",
      emit: (event) => void events.push(event),
    });
    expect(report.exitCode).toBe(1);
    expect(JSON.stringify(events)).toContain("not this user's own file");
    expect(readFileSync(join(folder, "precious"), "utf8")).toBe("precious\n");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

import { file } from "@keybuzz/modules";
import { definePlaybook } from "@keybuzz/runner";
import * as z from "zod";

/** Many small files, each with its own content, as tasks of one list. */
export default definePlaybook({
  name: "files",
  summary: "Many small files, each with its own content",
  groups: { all: z.object({}) },
  params: z.strictObject({
    count: z.coerce.number().int().default(1000).describe("how many"),
    generation: z.string().default("1").describe("a word in every content: another one changes all files"),
  }),
  async run({ all }, { params: { count, generation } }) {
    await all.ensure(
      Array.from({ length: count }, (_, n) =>
        file({
          path: `/var/lib/kbench-files/f${n}.conf`,
          content: `# file ${n}, generation ${generation}\nvalue = ${n * 7919}\n`,
          ...{ mode: "0644", owner: "root", group: "root" },
        }),
      ),
    );
  },
});

import { definePlaybook } from "@keybuzz/runner";
import { ExampleNameHost, exampleName } from "../roles/example-name/role.ts";

export default definePlaybook({
  name: "site",
  summary: "All roles on all groups",
  groups: { web: ExampleNameHost },
  async run({ web }) {
    await exampleName(web, { title: "served by kb" });
  },
});

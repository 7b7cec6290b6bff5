import * as Flags from "@oclif/core/flags";

/** Which lab: a machine can have several side by side. */
export const labFlags = {
  name: Flags.string({ char: "n", default: "lab", env: "KB_LAB", helpValue: "NAME", description: "name of the lab" }),
};

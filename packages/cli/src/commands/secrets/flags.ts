import * as Flags from "@oclif/core/flags";

/** The key, wherever a file is sealed or opened. */
export const keyFlag = {
  key: Flags.string({
    env: "KB_AGE_KEY_FILE",
    helpValue: "FILE",
    description: "the age identity; age.key beside the sealed file unless given",
  }),
};

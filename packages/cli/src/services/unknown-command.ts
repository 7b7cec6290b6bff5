import { suggest } from "@keybuzz/runner";
import type { Hook } from "@oclif/core/hooks";
import { CommandLineError } from "./usage-error.ts";

/** oclif's hook for a command that it does not know. @throws CommandLineError with the nearest */
const unknownCommand: Hook<"command_not_found"> = async ({ id, config }) => {
  const known = config.commandIDs.map((command) => command.split(":"));
  // What follows a mistyped command is taken for more of its name, as far as it looks like one.
  const words = id.split(":");
  const length = known.some(([topic]) => topic === words[0]) ? 2 : 1;
  const name = words.slice(0, length).join(" ");
  const candidates = known.filter((command) => length === 1 || command[0] === words[0]);
  throw new CommandLineError(`there is no command ${name}`, {
    hint: suggest(name, new Set(candidates.map((command) => command.slice(0, length).join(" ")))),
  });
};

export default unknownCommand;

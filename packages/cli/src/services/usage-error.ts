import { UsageError } from "@keybuzz/runner";

/** A command line that cannot be followed. Exit code 2. */
export class CommandLineError extends UsageError {
  readonly code = "usage";
}

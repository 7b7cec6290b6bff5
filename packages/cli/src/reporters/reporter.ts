import type { Emit } from "@keybuzz/runner";

/** Makes output of a run's events. Nothing else is known to it. */
export interface Reporter {
  readonly emit: Emit;
  /** Leaves the terminal alone until the function that it gives back is called: somebody is asked something there. */
  suspend(): () => void;
  /** The end, whatever happened: the terminal is as it was before. */
  close(): void;
}

/** Where a reporter writes to. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

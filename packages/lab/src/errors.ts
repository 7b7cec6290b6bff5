/** A lab that cannot do what was asked: says what was tried, what came back and what to try next. */
export class LabError extends Error {
  /** Stable word for programs, beside the message for people. */
  readonly code = "LAB";
  /** What the command line ends with: 2 for a spec or a machine that cannot work, 1 for all that fails while working. */
  readonly exitCode: number;

  constructor(message: string, options: { readonly cause?: unknown; readonly exitCode?: 1 | 2 } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "LabError";
    this.exitCode = options.exitCode ?? 1;
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

import { randomBytes } from "node:crypto";

/** A run's name: its start in UTC to the millisecond, so that names sort by time, and six random hexadecimal digits. */
export function newRunId(now: Date = new Date()): string {
  return `${now.toISOString().replace(/[-:.]/g, "")}-${randomBytes(3).toString("hex")}`;
}

/** Whether a text is a {@link newRunId}, so that it may become part of a path. */
export function isRunId(text: string): boolean {
  return /^\d{8}T\d{9}Z-[0-9a-f]{6}$/.test(text);
}

import { openSync, writeSync } from "node:fs";
import { ReadStream } from "node:tty";

/** The terminal that the command was started on, whatever standard input and output are. */
export interface Terminal {
  write(text: string): void;
  /** Hands on what is typed, a character at a time and without echo, until something is made of it. */
  read<T>(take: (key: string) => T | undefined): Promise<T>;
  /** Echo comes back. */
  close(): void;
}

/** Opens /dev/tty; undefined where there is none. */
export function openTerminal(): Terminal | undefined {
  const descriptor = openDescriptor();
  if (descriptor === undefined) return undefined;
  const stream = new ReadStream(descriptor);
  stream.setEncoding("utf8");
  // Echo goes off before anything is asked, for those who type ahead.
  stream.setRawMode(true);
  return {
    write: (text) => void writeSync(descriptor, text),
    read: (take) => readKeys(stream, take),
    close() {
      stream.setRawMode(false);
      stream.destroy();
    },
  };
}

function readKeys<T>(stream: ReadStream, take: (key: string) => T | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    stream.once("error", reject);
    stream.once("end", () => reject(new Error("the terminal is gone")));
    stream.on("data", (text) => {
      try {
        for (const key of String(text)) {
          const taken = take(key);
          if (taken !== undefined) return resolve(taken);
        }
      } catch (error) {
        reject(error);
      }
    });
  });
}

function openDescriptor(): number | undefined {
  try {
    return openSync("/dev/tty", "r+");
  } catch {
    return undefined;
  }
}

import { readdirSync, readFileSync } from "node:fs";

const EVERY_MS = 15;

/**
 * Reads the arguments and the environment of every process that appears on this machine, those of lab hosts and of their
 * containers among them, until it is stopped. Each is looked at twice, since a process changes both when it executes
 * another program.
 */
export class ProcessWatch {
  readonly #looks = new Map<string, number>();
  readonly #texts = new Set<string>();
  readonly #timer = setInterval(() => this.#look(), EVERY_MS);

  stop(): void {
    clearInterval(this.#timer);
  }

  /** How many different command lines and environments were seen. */
  get size(): number {
    return this.#texts.size;
  }

  /** Those that hold a text. */
  holding(text: string): readonly string[] {
    return [...this.#texts].filter((seen) => seen.includes(text));
  }

  #look(): void {
    const present = new Set(readdirSync("/proc").filter((name) => /^\d+$/.test(name)));
    for (const pid of this.#looks.keys()) if (!present.has(pid)) this.#looks.delete(pid);
    for (const pid of present) {
      const looks = this.#looks.get(pid) ?? 0;
      if (looks === 2) continue;
      this.#looks.set(pid, looks + 1);
      for (const file of ["cmdline", "environ"]) this.#read(`/proc/${pid}/${file}`);
    }
  }

  #read(path: string): void {
    try {
      this.#texts.add(readFileSync(path, "utf8").replaceAll("\0", " "));
    } catch {
      // It has ended since the folder was read.
    }
  }
}

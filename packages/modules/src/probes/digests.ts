import { createHash } from "node:crypto";
import { askBatch, type Batch, type Foreseen, foreseen, type Probe, sh } from "@keybuzz/runner";
import { amongPresent, takeLines } from "./lines.ts";

/**
 * One sha256sum(1) for all files. A line a key: the digest, `-` where there is no regular file, `?` where it must not be
 * read.
 */
const SHA256: Batch = {
  name: "sha256",
  render: (keys) => ({
    script: sh`set -- ${keys}
m=
for p do if [ -L "$p" ] || [ ! -f "$p" ]; then m=$m-; elif [ -r "$p" ]; then m=$m+; else m=$m?; fi; done
${amongPresent(sh`sha256sum`, sh`sed ${"s/^\\\\//; s/ .*//"}`)}`,
  }),
  split: (stdout, keys) => takeLines(stdout, keys.length),
};

/** SHA-256 of a regular file's content in hexadecimal; `null` where there is no regular file, or only a link to one. */
export function fileDigest(path: string): Probe<string | null> {
  return askBatch(SHA256, path, ({ stdout, stderr, exitCode }) => {
    const line = stdout.trimEnd();
    if (line === "-") return null;
    if (line === "?") throw new Error(`${path} may not be read by this user`);
    if (exitCode !== 0 || !/^[0-9a-f]{64}$/.test(line)) {
      throw new Error(`sha256sum gave no digest of ${path}: ${stderr.trim() || JSON.stringify(line)}`);
    }
    return line;
  });
}

/** What the question for a file's digest answers once the file has this content; `null`: once it is gone. */
export function digestLeft(path: string, content: string | Uint8Array | null): Foreseen {
  return foreseen(SHA256, path, () =>
    content === null ? "-\n" : `${createHash("sha256").update(content).digest("hex")}\n`,
  );
}

import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { command } from "../command.ts";
import type { ImagePaths } from "./paths.ts";

const USER_ID = "KeyBuzz lab packages";

/** Signs what the lab's own package repository serves. */
export interface Signer {
  /** Signs a file within its text, into `target`. */
  clearSign(file: string, target: string): Promise<void>;
  /** Signs a file apart from it, into `target`. */
  detachSign(file: string, target: string): Promise<void>;
  /** Writes the public key, `binary` or as `armor` (text). */
  exportKey(target: string, form: "binary" | "armor"): Promise<void>;
}

/**
 * Runs `use` with the lab's signing key, made on first use. The key has no passphrase: it is worth no more than the lab
 * that trusts it, and only root can read it.
 *
 * @see https://www.gnupg.org/documentation/manuals/gnupg/Unattended-Usage-of-GPG.html
 */
export async function withSigner<T>(paths: ImagePaths, use: (signer: Signer) => Promise<T>): Promise<T> {
  const home = join(paths.keys, "gnupg");
  const gpg = (...args: readonly string[]) =>
    command(["gpg", "--homedir", home, "--batch", "--quiet", "--yes", ...args]);
  const isNew = !existsSync(home);
  await mkdir(home, { recursive: true, mode: 0o700 });
  try {
    if (isNew) await gpg("--passphrase", "", "--quick-generate-key", USER_ID, "ed25519", "sign", "never");
    return await use({
      clearSign: async (file, target) => void (await gpg("--output", target, "--clearsign", file)),
      detachSign: async (file, target) => void (await gpg("--output", target, "--armor", "--detach-sign", file)),
      exportKey: async (target, form) =>
        void (await gpg("--output", target, ...(form === "armor" ? ["--armor"] : []), "--export", USER_ID)),
    });
  } finally {
    // gpg leaves an agent behind, which would outlive everything here.
    await command(["gpgconf", "--homedir", home, "--kill", "gpg-agent"], { okCodes: [1, 2] });
  }
}

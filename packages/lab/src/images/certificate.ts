import { existsSync } from "node:fs";
import { appendFile, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { command } from "../command.ts";
import { type ImagePaths, imagePaths } from "./paths.ts";

/** Names outside the lab that its controller answers for, over TLS with the certificate of {@link ensureCertificate}. */
export const ORIGIN_NAMES = ["registry-1.docker.io", "repo.proxysql.com"] as const;

/** A certificate and its private key, both PEM files. */
export interface Certificate {
  readonly certPath: string;
  readonly keyPath: string;
}

const VALID_DAYS = 3650;

/** Where the certificate is kept. */
export function certificatePaths(paths: ImagePaths = imagePaths()): Certificate {
  return { certPath: join(paths.keys, "origin.crt"), keyPath: join(paths.keys, "origin.key") };
}

/**
 * Makes, once, the certificate for {@link ORIGIN_NAMES}. It is signed by itself, so that a host that trusts it trusts
 * nothing else by it: there is no authority that could sign for a further name.
 *
 * @see https://docs.openssl.org/3.0/man1/openssl-req/
 */
export async function ensureCertificate(paths: ImagePaths): Promise<void> {
  const { certPath, keyPath } = certificatePaths(paths);
  if (existsSync(certPath)) return;
  await mkdir(paths.keys, { recursive: true, mode: 0o700 });
  const names = ORIGIN_NAMES.map((name) => `DNS:${name}`).join(",");
  await command([
    ...["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc"],
    ...["-keyout", keyPath, "-out", `${certPath}.new`, "-days", String(VALID_DAYS), "-subj", "/CN=KeyBuzz lab"],
    ...["-addext", `subjectAltName=${names}`, "-addext", "extendedKeyUsage=serverAuth"],
  ]);
  await rename(`${certPath}.new`, certPath);
}

/** Makes the system below `root`, not yet running, trust the certificate as its own ca-certificates would. */
export async function trustCertificate(root: string, paths: ImagePaths = imagePaths()): Promise<void> {
  const pem = await readFile(certificatePaths(paths).certPath, "utf8");
  const local = join(root, "usr/local/share/ca-certificates/keybuzz-lab.crt");
  await mkdir(dirname(local), { recursive: true });
  await writeFile(local, pem, { mode: 0o644 });
  // What update-ca-certificates makes of the file above; running it in the root would take a second a host.
  await appendFile(join(root, "etc/ssl/certs/ca-certificates.crt"), pem);
}

import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createSecureContext, type SecureContext } from "node:tls";

const COMMON_NAME = "ProxySQL_Auto_Generated_Server_Certificate";
const VALID_YEARS = 10;

/** One element of DER: tag, length, content. */
function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length: size } = content;
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

const sequence = (...parts: Buffer[]): Buffer => der(0x30, ...parts);
const ECDSA_WITH_SHA256 = sequence(Buffer.from("06082a8648ce3d040302", "hex"));
const COMMON_NAME_OID = Buffer.from("0603550403", "hex");

function utcTime(date: Date): Buffer {
  return der(0x17, Buffer.from(`${date.toISOString().slice(2, 19).replace(/[-:T]/g, "")}Z`));
}

/**
 * Makes a self-signed certificate, as the real server does at its first start.
 *
 * @see https://www.rfc-editor.org/rfc/rfc5280#section-4.1
 */
function selfSigned(): { certificate: string; key: string } {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const name = sequence(der(0x31, sequence(COMMON_NAME_OID, der(0x0c, Buffer.from(COMMON_NAME)))));
  const now = new Date();
  const until = new Date(now);
  until.setFullYear(now.getFullYear() + VALID_YEARS);
  const serial = Buffer.concat([Buffer.from([1]), randomBytes(8)]);
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    ECDSA_WITH_SHA256,
    name,
    sequence(utcTime(now), utcTime(until)),
    name,
    publicKey.export({ type: "spki", format: "der" }),
  );
  const signature = der(0x03, Buffer.from([0]), sign("sha256", body, privateKey));
  const base64 = sequence(body, ECDSA_WITH_SHA256, signature).toString("base64").replace(/.{64}/g, "$&\n");
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${base64.trim()}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

/** Loads the datadir's `proxysql-cert.pem` and `proxysql-key.pem`; makes them if they are missing. */
export function secureContext(datadir: string): SecureContext {
  const [certificatePath, keyPath] = [join(datadir, "proxysql-cert.pem"), join(datadir, "proxysql-key.pem")];
  if (!existsSync(certificatePath) || !existsSync(keyPath)) {
    const made = selfSigned();
    writeFileSync(keyPath, made.key, { mode: 0o600 });
    writeFileSync(certificatePath, made.certificate, { mode: 0o644 });
    writeFileSync(join(datadir, "proxysql-ca.pem"), made.certificate, { mode: 0o644 });
  }
  return createSecureContext({ cert: readFileSync(certificatePath), key: readFileSync(keyPath) });
}

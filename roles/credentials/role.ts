import { readFile } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { directory, file } from "@keybuzz/modules";
import { type AgeFile, type AgeKey, defineRole, type Hosts, ParamsError, readAgeFile, sealed } from "@keybuzz/runner";
import * as z from "zod";
import { BASE } from "../paths.ts";
import { type Credentials, type Key, mergeCredentials, ROTATIONS, renderEnv, toCredentials } from "./credentials.ts";

export { type Credentials, ROTATIONS, type Rotation } from "./credentials.ts";

/** Folder of the store, from the working directory of `kb`. */
const FOLDER = "credentials";

const params = z.strictObject({
  directory: z.string().refine(isAbsolute, "must be absolute").describe("Working directory; the store is below it."),
  rotate: z.array(z.enum(ROTATIONS)).default([]).describe("Passwords to make anew, by what they are for."),
  keyFile: z.string().optional().describe("The age identity that opens the store; credentials/age.key unless given."),
});

/**
 * The store of the credentials, on the controller: `credentials/mariadb.env.age`. It is made once, from a plain
 * `credentials/mariadb.env` where there is one; after that nothing in it changes but by `rotate`.
 */
export const credentialStore = defineRole({
  name: "credentials",
  summary: "Takes over or makes the credentials, and keeps them sealed",
  params,
  host: z.looseObject({}),
  async run({ hosts, params: { directory: folder, rotate, keyFile } }): Promise<Credentials> {
    const store = await openStore(folder, keyFile);
    const plain = await readPlain(join(folder, FOLDER, "mariadb.env"));
    const merged = mergeCredentials(store.text?.reveal(), plain, rotate);
    await hosts.ensure([
      directory({ path: join(folder, FOLDER), mode: "0700" }),
      ...keyTask(store),
      file({ path: store.path, content: await sealed(store, renderEnv(merged.values)), mode: "0600" }),
    ]);
    hosts.requireAll("everything depends on the credentials");
    tell(hosts, merged.differing, plain !== undefined, store.sealed === undefined);
    return toCredentials(merged.values);
  },
});

async function openStore(folder: string, keyFile?: string): Promise<AgeFile> {
  const at = (name: string): string => join(folder, FOLDER, name);
  return readAgeFile(at("mariadb.env.age"), keyFile ?? process.env["KB_AGE_KEY_FILE"] ?? at("age.key"));
}

/** The key of the store, after {@link credentialStore} has seen to it: backups are sealed for it as well. */
export async function credentialKey(directory: string): Promise<AgeKey> {
  const { key } = await openStore(directory);
  return key;
}

function keyTask({ key }: AgeFile) {
  return key.exists ? [] : [file({ path: key.path, content: key.content, mode: "0600" })];
}

async function readPlain(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined;
    throw new ParamsError(`cannot read ${path}`, { detail: String(cause), cause });
  }
}

function tell(hosts: Hosts<unknown>, differing: readonly Key[], plain: boolean, takenOver: boolean): void {
  if (!plain) return;
  if (takenOver) {
    hosts.note(
      "credentials/mariadb.env is taken over; it is still readable as it is: remove it once nothing else uses it",
    );
  } else if (differing.length > 0) {
    hosts.note(
      `credentials/mariadb.env differs from the sealed store in ${differing.join(", ")}; the store is what counts`,
      "warn",
    );
  }
}

/** `mariadb.env` on the hosts of the database, for root alone. */
export const credentialFiles = defineRole({
  name: "credential_files",
  summary: "Writes mariadb.env to the hosts of the database",
  params: z.strictObject({ credentials: z.custom<Credentials>().describe("What credentialStore gave.") }),
  host: z.looseObject({}),
  async run({ hosts, params: { credentials } }) {
    await hosts.ensure([
      directory({ path: BASE, mode: "0755", owner: "root", group: "root" }),
      file({ path: `${BASE}/mariadb.env`, content: credentials.hostFile, mode: "0600", owner: "root", group: "root" }),
    ]);
  },
});

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { command } from "../command.ts";
import { writeEntries } from "./file-entries.ts";
import type { FileEntry } from "./recipe.ts";

/** A Debian package to be built. */
export interface DebRecipe {
  readonly package: string;
  readonly version: string;
  readonly architecture: string;
  readonly depends: readonly string[];
  /** First line: the synopsis. */
  readonly description: readonly [string, ...string[]];
  readonly files: readonly FileEntry[];
  /** Paths of `files` that an upgrade does not overwrite when they were edited. */
  readonly conffiles: readonly string[];
  /** Scripts of the package (`postinst`, `prerm`, ...), by name. */
  readonly scripts: Readonly<Record<string, string>>;
}

const BUILD_TIMEOUT_MS = 120_000;

/**
 * The control file of a package.
 *
 * @see https://www.debian.org/doc/debian-policy/ch-controlfields.html
 */
export function renderControl(recipe: Omit<DebRecipe, "files" | "conffiles" | "scripts">): string {
  const [synopsis, ...more] = recipe.description;
  const fields = [
    `Package: ${recipe.package}`,
    `Version: ${recipe.version}`,
    `Architecture: ${recipe.architecture}`,
    "Maintainer: KeyBuzz lab <lab@keybuzz.invalid>",
    "Section: misc",
    "Priority: optional",
    ...(recipe.depends.length > 0 ? [`Depends: ${recipe.depends.join(", ")}`] : []),
    `Description: ${synopsis}`,
    ...more.map((line) => ` ${line || "."}`),
  ];
  return `${fields.join("\n")}\n`;
}

/** File name of a package, as Debian's archives name it: an epoch is left out. */
export function debFileName({ package: name, version, architecture }: DebRecipe): string {
  return `${name}_${version.replace(/^\d+:/, "")}_${architecture}.deb`;
}

/**
 * Builds a package into `directory`, by way of a folder below `work`, and returns its path.
 *
 * @throws {LabError} when dpkg-deb refuses it.
 * @see https://manpages.debian.org/bookworm/dpkg/dpkg-deb.1.en.html
 */
export async function buildDeb(recipe: DebRecipe, directory: string, work: string): Promise<string> {
  const root = await mkdtemp(join(work, "deb-"));
  await writeEntries(recipe.files, root);
  const control = join(root, "DEBIAN");
  await mkdir(control, { mode: 0o755 });
  await writeFile(join(control, "control"), renderControl(recipe));
  if (recipe.conffiles.length > 0) await writeFile(join(control, "conffiles"), `${recipe.conffiles.join("\n")}\n`);
  for (const [name, text] of Object.entries(recipe.scripts)) {
    await writeFile(join(control, name), text, { mode: 0o755 });
  }
  const deb = join(directory, debFileName(recipe));
  // It never leaves the machine: packing it would only cost time here and on every host.
  await command(["dpkg-deb", "--root-owner-group", "-Znone", "--build", root, deb], {
    timeoutMs: BUILD_TIMEOUT_MS,
  });
  await rm(root, { recursive: true });
  return deb;
}

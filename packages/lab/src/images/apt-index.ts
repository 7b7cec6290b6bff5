import { createHash } from "node:crypto";

/** What an index of a repository says of one package file. */
export interface IndexedPackage {
  /** Its control file. */
  readonly control: string;
  /** Path below the repository. */
  readonly fileName: string;
  readonly content: Buffer;
}

/**
 * The `Packages` index of a flat repository.
 *
 * @see https://wiki.debian.org/DebianRepository/Format#A.22Packages.22_Indices
 */
export function renderPackages(packages: readonly IndexedPackage[]): string {
  return packages
    .map(({ control, fileName, content }) =>
      [control.trimEnd(), `Filename: ./${fileName}`, `Size: ${content.length}`, `SHA256: ${sha256(content)}`].join(
        "\n",
      ),
    )
    .map((stanza) => `${stanza}\n`)
    .join("\n");
}

/**
 * The `Release` file of a flat repository, which is what gets signed.
 *
 * @see https://wiki.debian.org/DebianRepository/Format#A.22Release.22_files
 */
export function renderRelease(
  files: Readonly<Record<string, Buffer>>,
  about: { readonly label: string; readonly architecture: string; readonly date: Date },
): string {
  const sums = Object.entries(files).map(([name, content]) => ` ${sha256(content)} ${content.length} ${name}`);
  return `${[
    `Origin: ${about.label}`,
    `Label: ${about.label}`,
    `Architectures: ${about.architecture}`,
    `Date: ${about.date.toUTCString().replace("GMT", "UTC")}`,
    "SHA256:",
    ...sums,
  ].join("\n")}\n`;
}

function sha256(content: Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}

/** The value of `--NAME VALUE` on the command line. */
export function option(name: string): string | undefined {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
}

/** A comma-separated option as words, or what stands for it when it is missing. */
export function words(name: string, otherwise: string): readonly string[] {
  return (option(name) ?? otherwise).split(",").filter((word) => word !== "");
}

/** Prints one row of a Markdown table. */
export function row(cells: readonly (string | number)[]): void {
  console.log(`| ${cells.join(" | ")} |`);
}

/** Prints the head of a Markdown table. */
export function head(cells: readonly string[]): void {
  row(cells);
  console.log(`|${"---|".repeat(cells.length)}`);
}

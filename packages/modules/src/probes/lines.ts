/** The first so many lines of a text, each with its newline; an empty text for each line that is missing. */
export function takeLines(stdout: string, count: number): readonly string[] {
  const lines = stdout.split("\n").slice(0, -1);
  return Array.from({ length: count }, (_, index) => {
    const line = lines[index];
    return line === undefined ? "" : `${line}\n`;
  });
}

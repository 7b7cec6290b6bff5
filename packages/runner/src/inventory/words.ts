/**
 * Splits a line into words as a shell would that knows quotes and backslashes and nothing else, as Ansible splits
 * `ansible_ssh_common_args`.
 * @see https://docs.python.org/3/library/shlex.html
 */
export function splitWords(line: string): readonly string[] {
  const words: string[] = [];
  const pattern = /\s*((?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+)/gsy;
  for (const [, word = ""] of line.matchAll(pattern)) {
    words.push(
      word.replace(
        /'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)/gs,
        (_, single?: string, double?: string, escaped?: string) =>
          single ?? double?.replace(/\\(["\\$`])/g, "$1") ?? escaped ?? "",
      ),
    );
  }
  return words;
}

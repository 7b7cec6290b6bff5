type Part = { readonly kind: "any" } | { readonly kind: "one"; readonly fits: (character: string) => boolean };

/**
 * A test of names against a shell's pattern: `*`, `?`, `[abc]`, `[a-f]`, `[!abc]`, as Python's fnmatch has them. It takes
 * time in proportion to the pattern times the name, whatever they are.
 * @see https://docs.python.org/3/library/fnmatch.html
 */
export function globTest(pattern: string): (name: string) => boolean {
  const parts = parseGlob(pattern);
  return (name) => fits(parts, [...name]);
}

/** Whether a text has anything in it that makes it a pattern rather than a name. */
export function isGlob(text: string): boolean {
  return /[*?[]/.test(text);
}

function parseGlob(pattern: string): readonly Part[] {
  const parts: Part[] = [];
  for (const [part = "", set] of pattern.matchAll(/\[(!?\]?[^\]]*)\]|./gsu)) {
    if (set !== undefined) parts.push({ kind: "one", fits: parseSet(set) });
    else if (part === "*") parts.push({ kind: "any" });
    else parts.push({ kind: "one", fits: (character) => part === "?" || character === part });
  }
  return parts;
}

function parseSet(set: string): (character: string) => boolean {
  const isNot = set.startsWith("!");
  const ranges = [...(isNot ? set.slice(1) : set).matchAll(/(.)-(.)|(.)/gsu)].map(
    ([, from, to, single = ""]) => [from ?? single, to ?? single] as const,
  );
  return (character) => ranges.some(([from, to]) => from <= character && character <= to) !== isNot;
}

/** A star that turns out too short is made longer by one; only the last one ever needs that. */
function fits(parts: readonly Part[], name: readonly string[]): boolean {
  let [part, at, star, starAt] = [0, 0, -1, 0];
  while (at < name.length) {
    const current = parts[part];
    if (current?.kind === "one" && current.fits(name[at] ?? "")) {
      part += 1;
      at += 1;
    } else if (current?.kind === "any") {
      star = part;
      starAt = at;
      part += 1;
    } else if (star >= 0) {
      starAt += 1;
      at = starAt;
      part = star + 1;
    } else return false;
  }
  return parts.slice(part).every(({ kind }) => kind === "any");
}

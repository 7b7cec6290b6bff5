import { insertLines, joinLines, type Line, replaceLines, splitLines } from "./lines.ts";

/** A line of fstab(5), its fields unescaped. */
export type FstabEntry = {
  readonly src: string;
  readonly path: string;
  readonly fstype: string;
  readonly opts: string;
  readonly dump: number;
  readonly passno: number;
};

/** The entry of a mount point; `null` where there is none. The first one counts, as for systemd-fstab-generator(8). */
export function findEntry(text: string, path: string): FstabEntry | null {
  return (
    splitLines(text)
      .map(parseEntry)
      .find((entry) => entry?.path === path) ?? null
  );
}

/** Gives a mount point this entry, in the place of the one that it has, or at the end. `null` removes it. */
export function setEntry(text: string, path: string, entry: FstabEntry | null): string {
  const lines = splitLines(text);
  const mine = lines.flatMap((line, index) => (parseEntry(line)?.path === path ? [index] : []));
  const [first, ...others] = mine;
  const kept = lines.filter((_, index) => !(entry === null ? mine : others).includes(index));
  if (entry === null) return joinLines(kept);
  const line = renderEntry(entry);
  if (first === undefined) return joinLines(insertLines(kept, kept.length, [line]));
  const found = parseEntry(lines[first] ?? { text: "", end: "" });
  const same = found !== undefined && renderEntry(found) === line;
  return joinLines(same ? kept : replaceLines(kept, first, 1, [line]));
}

function parseEntry({ text }: Line): FstabEntry | undefined {
  const [src, path, fstype, opts, dump, passno] = text.trim().split(/[ \t]+/);
  if (src === undefined || src.startsWith("#") || path === undefined || fstype === undefined) return undefined;
  return {
    src: unescapeField(src),
    path: unescapeField(path).replace(/(?<=.)\/$/, ""),
    fstype,
    opts: opts === undefined || opts.startsWith("#") ? "defaults" : unescapeField(opts),
    dump: Number(dump ?? 0) || 0,
    passno: Number(passno ?? 0) || 0,
  };
}

function renderEntry({ src, path, fstype, opts, dump, passno }: FstabEntry): string {
  return [escapeField(src), escapeField(path), fstype, escapeField(opts), dump, passno].join(" ");
}

/** getmntent(3): blanks and backslashes of a field stand as octal escapes. */
function escapeField(field: string): string {
  return field.replace(/[\s\\#]/g, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, "0")}`);
}

function unescapeField(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

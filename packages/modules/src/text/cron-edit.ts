import { insertLines, joinLines, type Line, replaceLines, splitLines } from "./lines.ts";

/** The comment that names an entry: Ansible's, so that entries made by either are known to both. */
export function cronMarker(name: string): string {
  return `#Ansible: ${name}`;
}

/**
 * Makes an entry the line after its marker, in place of the one that stands there, or at the end with a new marker.
 * `null` removes both lines.
 */
export function setCronEntry(text: string, name: string, entry: string | null): string {
  const lines = splitLines(text);
  const marker = lines.findIndex((line) => line.text.trim() === cronMarker(name));
  if (marker < 0) {
    return entry === null ? text : joinLines(insertLines(lines, lines.length, [cronMarker(name), entry]));
  }
  const owned = ownsNext(lines, marker) ? 2 : 1;
  const edited = joinLines(replaceLines(lines, marker, owned, entry === null ? [] : [cronMarker(name), entry]));
  // crontab(1) refuses a last line without a newline.
  return edited === text || edited === "" || edited.endsWith("\n") ? edited : `${edited}\n`;
}

/** The line after a marker is its entry, be it active or, as Ansible disables one, behind a `#`; any other is not. */
function ownsNext(lines: readonly Line[], marker: number): boolean {
  const next = lines[marker + 1]?.text.trim() ?? "";
  return /^#?\s*(@[a-z]+|[\d*][\d*/,~-]*)\s+\S/.test(next) || /^[^#]/.test(next);
}

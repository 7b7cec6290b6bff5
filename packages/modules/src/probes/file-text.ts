import {
  askBatch,
  type Batch,
  type Foreseen,
  foreseen,
  mapProbe,
  type Output,
  PLACE_FUNCTIONS,
  type Probe,
  probeAll,
  sh,
} from "@keybuzz/runner";
import { groupAs, ownerAs, pathFacts } from "./path-facts.ts";

/**
 * The content of files. A part is `+`, the file's lines with `=` before each, a line end and a line with a dot, so that
 * no content can end it and a missing newline at the end of the file is seen; `-` where there is no regular file, `?`
 * where it must not be read.
 */
const TEXT: Batch = {
  name: "text",
  render: (keys) => ({
    script: sh`for p in ${keys}; do
if [ ! -f "$p" ]; then echo -; elif [ ! -r "$p" ]; then echo '?'
else echo +; sed 's/^/=/' <"$p" || exit 1; printf '\n.\n'; fi
done`,
  }),
  split: (stdout, keys) => splitFramed(stdout, keys.length),
};

/**
 * The same of files that are to be edited: what is read is written back, so it must be this very file's text, and not that
 * of another to which somebody else's link leads at the moment. `!` where that cannot be made sure.
 */
const OWN_TEXT: Batch = {
  name: "own-text",
  render: (keys) => ({
    script: sh`${PLACE_FUNCTIONS}
for p in ${keys}; do (
d=\${p%/*}; d=\${d:-/}; p=./\${p##*/}
if [ ! -d "$d" ]; then echo -; exit 0; fi
kb_enter "$d" 2>/dev/null || { echo '!'; exit 0; }
if [ -L "$p" ] || [ ! -f "$p" ]; then echo -; exit 0; fi
if [ ! -r "$p" ]; then echo '?'; exit 0; fi
{
if [ "$(readlink -n /proc/self/fd/3; echo .)" != "\${PWD%/}/\${p#./}." ]; then echo '!'; exit 0; fi
echo +; sed 's/^/=/' <&3 || exit 1; printf '\n.\n'
} 3<"$p"
) || exit 1
done`,
  }),
  split: (stdout, keys) => splitFramed(stdout, keys.length),
};

const END = "\n.\n";

/** Takes framed parts apart: one line each, or from a line `+` to the next line that is a dot. */
export function splitFramed(stdout: string, count: number): readonly string[] {
  let at = 0;
  return Array.from({ length: count }, () => {
    const start = at;
    const lineEnd = stdout.indexOf("\n", at) + 1;
    if (lineEnd === 0) return "";
    const framed = stdout.startsWith("+\n", at);
    const end = framed ? stdout.indexOf(END, lineEnd) : lineEnd;
    at = end < 0 ? stdout.length : framed ? end + END.length : end;
    return stdout.slice(start, at);
  });
}

/** The text inside a framed part; `undefined` where it is no whole one. */
export function unframe(part: string): string | undefined {
  if (!part.startsWith("+\n") || !part.endsWith(END)) return undefined;
  const lines = part.slice(2, -END.length).split("\n");
  return lines.map((line) => line.slice(1)).join("\n");
}

/**
 * A regular file's text, links followed; `null` where there is none. A byte sequence that is no UTF-8 reads as U+FFFD.
 */
export function fileText(path: string): Probe<string | null> {
  return askBatch(TEXT, path, (output) => parseText(path, output));
}

function parseText(path: string, { stdout, stderr, exitCode }: Output): string | null {
  if (stdout === "-\n") return null;
  if (stdout === "?\n") throw new Error(`${path} may not be read by this user`);
  if (stdout === "!\n") {
    throw new Error(`${path} is behind a symbolic link that other users could have put there: name the file itself`);
  }
  const text = exitCode === 0 ? unframe(stdout) : undefined;
  if (text === undefined) throw new Error(`${path} could not be read: ${stderr.trim() || "its text was cut off"}`);
  return text;
}

/** Frames a text as {@link TEXT} does. */
function frame(text: string): string {
  const lines = text.split("\n");
  const last = lines.pop() ?? "";
  return `+\n${lines.map((line) => `=${line}\n`).join("")}${last === "" ? "" : `=${last}`}${END}`;
}

/** What the questions for a file's text answer once the file has this text; `null`: once it is gone. */
export function textLeft(path: string, text: string | null): readonly Foreseen[] {
  return [TEXT, OWN_TEXT].map((batch) => foreseen(batch, path, () => (text === null ? "-\n" : frame(text))));
}

/** The same of any question whose answers are framed as a file's text is. */
export function framedLeft(batch: Batch, key: string, text: string): Foreseen {
  return foreseen(batch, key, () => frame(text));
}

/** A file that is edited in place: its text and all that a rewrite has to keep. */
export type TextFile = { readonly text: string; readonly mode: string; readonly owner: string; readonly group: string };

/** An owner and a group as a person wrote them: by name or by number. */
export interface Ownership {
  readonly owner?: string | undefined;
  readonly group?: string | undefined;
}

function ownText(path: string): Probe<string | null> {
  return askBatch(OWN_TEXT, path, (output) => parseText(path, output));
}

/**
 * A text file that may be edited; `null` where nothing is. Anything else, such as a link, is an error. Owner and group
 * are told in the words of `wanted`.
 */
export function textFile(path: string, wanted: Ownership = {}): Probe<TextFile | null> {
  return mapProbe(probeAll({ facts: pathFacts(path), text: ownText(path) }), ({ facts, text }) => {
    if (facts === null) return null;
    if (facts.kind === "link") throw new Error(`${path} is a symbolic link; name the file that it points to`);
    if (facts.kind !== "file" || text === null) throw new Error(`${path} is no regular file`);
    if (text.includes("\uFFFD") || text.includes("\0")) {
      throw new Error(`${path} is no UTF-8 text; an edit would damage it`);
    }
    return { text, mode: facts.mode, owner: ownerAs(facts, wanted.owner), group: groupAs(facts, wanted.group) };
  });
}

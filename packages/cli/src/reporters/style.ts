import { styleText } from "node:util";

/** What a piece of text means; its look follows from it. */
export type Tone = "good" | "change" | "doubt" | "bad" | "dim" | "strong" | "add" | "remove" | "place" | "plain";

/** Gives text the look of a tone, or leaves it as it is. */
export type Paint = (tone: Tone, text: string) => string;

type Format = Parameters<typeof styleText>[0];

const FORMATS: Readonly<Record<Exclude<Tone, "plain">, Format>> = {
  good: "green",
  change: "yellow",
  doubt: "magenta",
  bad: ["red", "bold"],
  dim: "dim",
  strong: "bold",
  add: "green",
  remove: "red",
  place: "cyan",
};

/** Colours, or none. */
export function makePaint(colours: boolean): Paint {
  return (tone, text) =>
    !colours || tone === "plain" || text === "" ? text : styleText(FORMATS[tone], text, { validateStream: false });
}

/**
 * Whether to use colours on a stream: `FORCE_COLOR` (other than 0) wins, then `NO_COLOR`, then whether it is a terminal
 * that is not dumb.
 * @see https://no-color.org and https://force-color.org
 */
export function wantsColours(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv): boolean {
  const forced = env["FORCE_COLOR"];
  if (forced !== undefined && forced !== "") return forced !== "0" && forced !== "false";
  if (env["NO_COLOR"] !== undefined && env["NO_COLOR"] !== "") return false;
  return stream.isTTY === true && env["TERM"] !== "dumb";
}

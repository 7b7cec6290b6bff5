import type { ParamDoc } from "../services/describe-params.ts";
import type { ModuleDoc } from "../services/module-docs.ts";
import type { Paint } from "./style.ts";
import { renderTable, width } from "./table.ts";

const MAX_WIDTH = 100;

/** Names and summaries. */
export function moduleListLines(modules: readonly Pick<ModuleDoc, "name" | "summary">[], paint: Paint): string[] {
  const rows = modules.map(({ name, summary }) => [{ text: name, tone: "place" as const }, { text: summary }]);
  return renderTable([], rows, paint).slice(1);
}

/** Everything about one module: what it is for, its params, an example. */
export function moduleLines(doc: ModuleDoc, paint: Paint): string[] {
  const kind = doc.gate ? paint("dim", "  (proves or awaits; never changes anything)") : "";
  const examples = doc.examples.flatMap((example) => example.split("\n").map((line) => `  ${line}`));
  return [
    `${paint("strong", doc.name)}${kind}`,
    `  ${doc.summary}`,
    "",
    paint("strong", "params"),
    ...doc.params.flatMap((param) => paramLines(param, "  ", paint)),
    "",
    paint("strong", "check mode"),
    ...wrap(doc.checkMode, MAX_WIDTH - 2).map((line) => `  ${line}`),
    ...(examples.length === 0
      ? []
      : ["", paint("strong", doc.examples.length === 1 ? "example" : "examples"), ...examples]),
    ...(doc.source === undefined ? [] : ["", `${paint("strong", "source")}  ${doc.source}`]),
  ];
}

function paramLines(param: ParamDoc, margin: string, paint: Paint): readonly string[] {
  const fallback = param.default === undefined ? "" : `, default ${param.default}`;
  const need = param.required ? paint("change", "required") : paint("dim", `optional${fallback}`);
  const inner = `${margin}  `;
  const limits = param.limits === undefined ? "" : paint("dim", `, ${param.limits}`);
  return [
    `${margin}${paint("place", param.name)}  ${param.type}${limits}  ${need}`,
    ...wrap(param.description, MAX_WIDTH - inner.length).map((line) => `${inner}${line}`),
    ...param.fields.flatMap((field) => paramLines(field, `${inner}  `, paint)),
  ];
}

/** Breaks a text at spaces into lines of at most `columns`; a longer word has a line of its own. */
export function wrap(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/).filter((part) => part !== "")) {
    const last = lines.at(-1);
    if (last !== undefined && width(last) + 1 + width(word) <= columns) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

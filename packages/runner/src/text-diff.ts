import { createTwoFilesPatch, FILE_HEADERS_ONLY } from "diff";

/** A unified diff with three lines of context; an empty text where there is no difference. Absent texts are `/dev/null`. */
export function unifiedDiff(name: string, before: string | null, after: string | null): string {
  if (before === after) return "";
  const from = before === null ? "/dev/null" : name;
  const to = after === null ? "/dev/null" : name;
  const options = { context: 3, headerOptions: FILE_HEADERS_ONLY };
  return createTwoFilesPatch(from, to, before ?? "", after ?? "", undefined, undefined, options);
}

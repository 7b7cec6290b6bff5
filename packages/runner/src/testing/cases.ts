import { readFileSync } from "node:fs";
import { Secret } from "../secret.ts";
import { Sh } from "../sh.ts";
import { Sql } from "../sql.ts";

/**
 * A recorded case of a module. A secret is written as `{ "$secret": "text" }`, shell text as `{ "$sh": "text" }`, SQL text
 * as `{ "$sql": "text" }`.
 */
export function readCase<T>(file: string): T {
  return JSON.parse(readFileSync(file, "utf8"), (_key, value: unknown) => {
    const marked = value as { $secret?: unknown; $sh?: unknown; $sql?: unknown } | null;
    if (typeof marked !== "object") return value;
    if (typeof marked?.$secret === "string") return new Secret(marked.$secret);
    if (typeof marked?.$sql === "string") return Sql.unsafe(marked.$sql, false);
    return typeof marked?.$sh === "string" ? Sh.unsafe(marked.$sh) : value;
  }) as T;
}

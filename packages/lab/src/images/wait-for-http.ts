/** Program: waits until a URL answers with success. Arguments: URL, limit in milliseconds. */
import { setTimeout as sleep } from "node:timers/promises";

const [url = "", limitMs = "10000"] = process.argv.slice(2);
const deadline = Date.now() + Number(limitMs);
let last = "not asked yet";

while (Date.now() < deadline) {
  last = await fetch(url, { signal: AbortSignal.timeout(2_000) }).then(
    (response) => (response.ok ? "ok" : `status ${response.status}`),
    (error: Error) => String(error.cause ?? error),
  );
  if (last === "ok") process.exit(0);
  await sleep(50);
}
console.error(`no answer within ${limitMs} ms; last: ${last}`);
process.exit(1);

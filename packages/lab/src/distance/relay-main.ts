/** A link's relay as a process of its own, in the switch's namespace: `node relay-main.ts JSON`. */
import { type RelayOptions, startRelay } from "./relay.ts";

const [options = ""] = process.argv.slice(2);
await startRelay(JSON.parse(options) as RelayOptions);

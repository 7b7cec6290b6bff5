/** Answers a question of `reach.ts` from inside a namespace: `node reach-main.ts JSON`. */
import { type ReachQuestion, reach } from "./reach.ts";

const [question = ""] = process.argv.slice(2);
process.stdout.write(JSON.stringify(await reach(JSON.parse(question) as ReachQuestion)));

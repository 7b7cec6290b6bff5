/** What ssh(1) starts as its SSH_ASKPASS: hands the question on to the kb that started ssh, and prints the answer. */
import net from "node:net";

const [socketPath = "", prompt = ""] = process.argv.slice(2);
let answer = "";
// A notice, such as "touch your security key", wants no answer; it ends when ssh ends it.
if (process.env["SSH_ASKPASS_PROMPT"] === "none") setTimeout(() => {}, 120_000);
else {
  const socket = net.connect({ path: socketPath, allowHalfOpen: true });
  socket.setEncoding("utf8").on("data", (chunk: string) => {
    answer += chunk;
  });
  socket.on("error", () => process.exit(1));
  socket.on("close", () => {
    if (!answer.startsWith("=")) process.exit(1);
    process.stdout.write(`${answer.slice(1)}\n`);
  });
  socket.end(`${process.env["KB_ASKPASS_NAME"] ?? ""}\n${prompt}`);
}

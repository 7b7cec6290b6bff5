#!/usr/bin/env node
// Plain JavaScript, so that a Node that is too old gets as far as the message.
import module from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(
    `kb needs Node 22.18 or newer, and this is ${process.version}\n  try: ./kb or npx kb, which use the Node that the repository brings along\n`,
  );
  process.exit(2);
}
// A directory of our own: Node's default lies in /tmp, where anybody could put code there for us to run.
module.enableCompileCache(join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "keybuzz", "compiled"));
const { main } = await import("#main");
process.exit(await main(process.argv.slice(2)));

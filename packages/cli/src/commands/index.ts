import Ping from "./ping.ts";
import Play from "./play.ts";

/** Every command by its name. Each imports what it works with only when it runs: `kb --version` pays for none of it. */
export default {
  ping: Ping,
  play: Play,
};

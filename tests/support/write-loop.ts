import { withPassword } from "./databases.ts";
import { ENTRY_POINT, type Fleet } from "./fleet.ts";

const STOP = "/run/kb-write-loop.stop";

/** A write that the server acknowledged. */
export interface Acknowledged {
  readonly row: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** A client that writes one row after the other through the entry point, a new connection each. */
export class WriteLoop {
  readonly #fleet: Fleet;
  readonly #host: string;
  readonly #ended: Promise<string>;

  constructor(fleet: Fleet, host: string, password: string) {
    this.#fleet = fleet;
    this.#host = host;
    const options = `--user=keybuzz_verify --host=${ENTRY_POINT} --protocol=tcp --skip-ssl-verify-server-cert --connect-timeout=3`;
    const script = `rm -f ${STOP}; IFS= read -r password; n=0
until [ -e ${STOP} ]; do
  n=$((n + 1))
  if printf '%s\\n%s\\n' "$password" "INSERT INTO keybuzz_verify.proof (node, token) VALUES ('loop-$n', UUID())" |
    timeout 6 sh -c ${quote(withPassword(options))} 2>>/run/kb-write-loop.errors; then echo "loop-$n $(date +%s%3N)"; fi
done`;
    this.#ended = fleet.sh(host, script, { input: `${password}\n`, timeoutMs: 240_000 });
    // Its failure is told to whoever stops it.
    this.#ended.catch(() => {});
  }

  /** Ends it, and tells what was acknowledged. */
  async stop(): Promise<readonly Acknowledged[]> {
    await this.#fleet.sh(this.#host, `: >${STOP}`);
    const lines = (await this.#ended).split("\n").filter((line) => line !== "");
    return lines.map((line) => {
      const [row = "", at = ""] = line.split(" ");
      return { row, at: Number(at) };
    });
  }

  /** What the client said when it failed. */
  async errors(): Promise<string> {
    return this.#fleet.sh(this.#host, "sort /run/kb-write-loop.errors | uniq -c");
  }
}

/** The longest time between two acknowledged writes, in milliseconds. */
export function longestGap(writes: readonly Acknowledged[]): number {
  return Math.max(0, ...writes.slice(1).map(({ at }, index) => at - (writes[index]?.at ?? at)));
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

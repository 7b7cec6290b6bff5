import type { Readable } from "node:stream";

/** One framed answer, as bytes: outputs may be no valid UTF-8. */
export interface Frame {
  readonly id: string;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  readonly exitCode: number;
}

/** What the held shell's two streams say, joined. */
export interface FrameHandlers {
  /** sudo has let the shell through. */
  onUp?(): void;
  /** The shell has read its prelude; `text` is its process number, or what keeps it from going on. */
  onReady?(text: string): void;
  /** The script has come to this place. */
  onPlace?(place: string): void;
  /** The script was not run, since its user cannot be had. */
  onRefused?(text: string): void;
  onBegin?(id: string): void;
  /** A piece of an answer's standard output or error, as it comes. */
  onData?(id: string, chunk: Buffer, side: "stdout" | "stderr"): void;
  onFrame(frame: Frame): void;
  /** The script stopped before this task: `stale`, `failed` or `interrupted`. */
  onHalt?(task: string, why: string): void;
  /** The whole script has been run. */
  onDone(): void;
}

type Mark = { readonly kind: string; readonly id: string; readonly rest: string };

/**
 * Takes the two output streams of a held shell apart.
 *
 * Each answer stands between a begin and an end mark, on both streams, since ssh keeps no order between the two. A mark
 * is a line of its own that holds a nonce of 128 bits, made anew for each shell: output cannot imitate it.
 */
export class FrameReader {
  readonly #marker: Buffer;
  readonly #handlers: () => FrameHandlers | undefined;
  readonly #halves = new Map<string, { stdout?: Buffer; stderr?: Buffer; exitCode: number }>();
  #doneOnce = false;

  constructor(nonce: string, stdout: Readable, stderr: Readable, handlers: () => FrameHandlers | undefined) {
    this.#marker = Buffer.from(`\n@@${nonce} `);
    this.#handlers = handlers;
    this.#read(stdout, "stdout");
    this.#read(stderr, "stderr");
  }

  #read(stream: Readable, side: "stdout" | "stderr"): void {
    let pending: Buffer = Buffer.alloc(0);
    let open: { id: string; chunks: Buffer[] } | undefined;
    // A line feed at the end may begin a mark. Whoever looks on is told of it at once, or would lag a line behind.
    let told = 0;
    const take = (data: Buffer): void => {
      if (open === undefined || data.length === 0) return;
      open.chunks.push(data);
      if (data.length > told) this.#handlers()?.onData?.(open.id, data.subarray(told), side);
      told = 0;
    };
    stream.on("data", (chunk: Buffer) => {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      for (;;) {
        const at = pending.indexOf(this.#marker);
        const lineEnd = at < 0 ? -1 : pending.indexOf(0x0a, at + this.#marker.length);
        if (lineEnd < 0) {
          // Keep what may be the start of a mark, or a mark whose line is not whole yet.
          const keep = at < 0 ? partialMark(pending, this.#marker) : pending.length - at;
          take(pending.subarray(0, pending.length - keep));
          pending = pending.subarray(pending.length - keep);
          if (open !== undefined && told === 0 && pending.length === 1) {
            told = 1;
            this.#handlers()?.onData?.(open.id, pending, side);
          }
          return;
        }
        take(pending.subarray(0, at));
        const mark = parseMark(pending.toString("latin1", at + this.#marker.length, lineEnd));
        pending = pending.subarray(lineEnd + 1);
        told = 0;
        if (mark.kind === "b") {
          open = { id: mark.id, chunks: [] };
          if (side === "stdout") this.#handlers()?.onBegin?.(mark.id);
        } else if (mark.kind === "e") {
          this.#half(side, mark.id, Buffer.concat(open?.chunks ?? []), Number(mark.rest));
          open = undefined;
        } else {
          this.#control(mark, side);
        }
      }
    });
  }

  #half(side: "stdout" | "stderr", id: string, data: Buffer, exitCode: number): void {
    const half = this.#halves.get(id) ?? { exitCode };
    half[side] = data;
    if (half.stdout === undefined || half.stderr === undefined) {
      this.#halves.set(id, half);
      return;
    }
    this.#halves.delete(id);
    this.#handlers()?.onFrame({ id, stdout: half.stdout, stderr: half.stderr, exitCode });
  }

  #control(mark: Mark, side: "stdout" | "stderr"): void {
    if (mark.kind === "d") {
      // Both streams have to be through: the last frame's other half may still be on its way.
      if (this.#doneOnce) this.#handlers()?.onDone();
      this.#doneOnce = !this.#doneOnce;
    } else if (side === "stdout") {
      const handlers = this.#handlers();
      const text = `${mark.id} ${mark.rest}`.trim();
      if (mark.kind === "h") handlers?.onHalt?.(mark.id, mark.rest);
      else if (mark.kind === "p") handlers?.onPlace?.(`p${mark.id}`);
      else if (mark.kind === "r") handlers?.onReady?.(text);
      else if (mark.kind === "x") handlers?.onRefused?.(text);
      else if (mark.kind === "y") handlers?.onUp?.();
    }
  }
}

/** Length of the end of the data that may be the start of a mark. */
function partialMark(data: Buffer, marker: Buffer): number {
  const newline = data.lastIndexOf(0x0a);
  const tail = newline < 0 ? 0 : data.length - newline;
  return tail < marker.length && data.subarray(newline).equals(marker.subarray(0, tail)) ? tail : 0;
}

function parseMark(line: string): Mark {
  const [kind = "", id = "", ...rest] = line.split(" ");
  return { kind, id, rest: rest.join(" ") };
}

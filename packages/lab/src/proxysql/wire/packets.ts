const HEADER = 4;
/** The longest payload of one wire packet; a longer one is continued in the next packet. */
export const MAX_PAYLOAD = 0xffffff;

/** One logical packet: wire packets that continue each other are joined. */
export interface Packet {
  /** Sequence number of the last wire packet. */
  readonly sequence: number;
  readonly payload: Buffer;
}

/** Splits a byte stream into logical packets. */
export class PacketReader {
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #parts: Buffer[] = [];

  /** Takes a chunk and returns the packets that it completes, in order. */
  push(chunk: Buffer): Packet[] {
    this.#pending.push(chunk);
    this.#pendingBytes += chunk.length;
    const packets: Packet[] = [];
    for (let wire = this.#next(); wire !== null; wire = this.#next()) {
      this.#parts.push(wire.payload);
      if (wire.payload.length === MAX_PAYLOAD) continue;
      const [only, ...more] = this.#parts;
      packets.push({
        sequence: wire.sequence,
        payload: only !== undefined && more.length === 0 ? only : Buffer.concat(this.#parts),
      });
      this.#parts = [];
    }
    return packets;
  }

  /** Bytes received of a packet that is not complete yet. */
  get bufferedBytes(): number {
    return this.#parts.reduce((sum, part) => sum + part.length, this.#pendingBytes);
  }

  /** Hands back and forgets what was received and not yet consumed (needed when TLS takes the socket over). */
  drain(): Buffer {
    const rest = Buffer.concat(this.#pending);
    this.#pending = [];
    this.#pendingBytes = 0;
    return rest;
  }

  #next(): Packet | null {
    if (this.#pendingBytes < HEADER) return null;
    const length = this.#join(HEADER).readUIntLE(0, 3);
    if (this.#pendingBytes < HEADER + length) return null;
    const head = this.#join(HEADER + length);
    const packet = { sequence: head[3] ?? 0, payload: head.subarray(HEADER, HEADER + length) };
    const rest = head.subarray(HEADER + length);
    this.#pending[0] = rest;
    if (rest.length === 0) this.#pending.shift();
    this.#pendingBytes -= HEADER + length;
    return packet;
  }

  /** Makes the first pending buffer at least `bytes` long; joins only as much as that takes. */
  #join(bytes: number): Buffer {
    const first = this.#pending[0];
    if (first !== undefined && first.length >= bytes) return first;
    const joined = Buffer.concat(this.#pending);
    this.#pending = [joined];
    return joined;
  }
}

/** Frames a payload as wire packets, the first of which bears `sequence`. */
export function frame(payload: Buffer, sequence: number): Buffer {
  const parts: Buffer[] = [];
  let offset = 0;
  let number = sequence;
  for (;;) {
    const part = payload.subarray(offset, offset + MAX_PAYLOAD);
    const header = Buffer.alloc(HEADER);
    header.writeUIntLE(part.length, 0, 3);
    header[3] = number & 0xff;
    parts.push(header, part);
    offset += part.length;
    number += 1;
    if (part.length < MAX_PAYLOAD) return Buffer.concat(parts);
  }
}

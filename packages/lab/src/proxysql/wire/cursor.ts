/** A forward-only reader over one packet's payload. Reads past the end yield zeros or empty values, never throw. */
export class Cursor {
  readonly bytes: Buffer;
  offset = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  get remaining(): number {
    return Math.max(0, this.bytes.length - this.offset);
  }

  /** Reads an unsigned little-endian integer of 1 to 6 bytes. */
  int(width: number): number {
    const value = this.remaining >= width ? this.bytes.readUIntLE(this.offset, width) : 0;
    this.offset += width;
    return value;
  }

  /** Reads a length-encoded integer; null stands for SQL NULL (0xfb). Values beyond 2^53 lose precision. */
  lengthEncoded(): number | null {
    const first = this.int(1);
    if (first < 0xfb) return first;
    if (first === 0xfb) return null;
    if (first === 0xfc) return this.int(2);
    if (first === 0xfd) return this.int(3);
    const low = this.int(4);
    return this.int(4) * 2 ** 32 + low;
  }

  take(length: number): Buffer {
    const part = this.bytes.subarray(this.offset, this.offset + length);
    this.offset += length;
    return part;
  }

  nullTerminated(): Buffer {
    const end = this.bytes.indexOf(0, this.offset);
    if (end === -1) return this.rest();
    const part = this.bytes.subarray(this.offset, end);
    this.offset = end + 1;
    return part;
  }

  lengthEncodedBytes(): Buffer | null {
    const length = this.lengthEncoded();
    return length === null ? null : this.take(length);
  }

  rest(): Buffer {
    return this.take(this.remaining);
  }
}

/** Encodes a length-encoded integer. */
export function lengthEncoded(value: number): Buffer {
  if (value < 0xfb) return Buffer.from([value]);
  if (value < 0x10000) return Buffer.from([0xfc, value & 0xff, value >> 8]);
  if (value < 0x1000000) return Buffer.from([0xfd, value & 0xff, (value >> 8) & 0xff, value >> 16]);
  const wide = Buffer.alloc(9);
  wide[0] = 0xfe;
  wide.writeBigUInt64LE(BigInt(value), 1);
  return wide;
}

/** Encodes bytes or text with their length before them. */
export function lengthEncodedBytes(value: Buffer | string): Buffer {
  const bytes = typeof value === "string" ? Buffer.from(value) : value;
  return Buffer.concat([lengthEncoded(bytes.length), bytes]);
}

/** Encodes an unsigned little-endian integer of 1 to 6 bytes. */
export function int(value: number, width: number): Buffer {
  const bytes = Buffer.alloc(width);
  bytes.writeUIntLE(value, 0, width);
  return bytes;
}

const MASK = (1n << 64n) - 1n;
const CONSTANT = 0xdeadbeefdeadbeefn;
const WORD_BYTES = 8;
const VARIABLES = 12;
const BLOCK_BYTES = VARIABLES * WORD_BYTES;
/** Shorter messages are hashed in another, quicker way. */
const LONG_MESSAGE_BYTES = 2 * BLOCK_BYTES;

const SHORT_MIX = [50n, 52n, 30n, 41n, 54n, 48n, 38n, 37n, 62n, 34n, 5n, 36n];
const SHORT_END = [15n, 52n, 26n, 51n, 28n, 9n, 47n, 54n, 32n, 25n, 63n];
const LONG_MIX = [11n, 32n, 43n, 31n, 17n, 28n, 39n, 57n, 55n, 54n, 22n, 46n];
const LONG_END = [44n, 15n, 34n, 21n, 38n, 33n, 10n, 13n, 38n, 53n, 42n, 54n];

function rotate(value: bigint, bits: bigint): bigint {
  return ((value << bits) | (value >> (64n - bits))) & MASK;
}

/** The state: words that are added to, xored and rotated by index modulo their number. */
class State {
  readonly #words: bigint[];

  constructor(words: readonly bigint[]) {
    this.#words = [...words];
  }

  at(index: number): bigint {
    return this.#words[index % this.#words.length] ?? 0n;
  }

  add(index: number, value: bigint): void {
    this.#words[index % this.#words.length] = (this.at(index) + value) & MASK;
  }

  xor(index: number, value: bigint): void {
    this.#words[index % this.#words.length] = this.at(index) ^ value;
  }

  rotate(index: number, bits: bigint): void {
    this.#words[index % this.#words.length] = rotate(this.at(index), bits);
  }
}

function wordAt(bytes: Buffer, offset: number): bigint {
  return bytes.readBigUInt64LE(offset);
}

function mixShort(state: State): void {
  for (const [step, bits] of SHORT_MIX.entries()) {
    const index = step + 2;
    state.rotate(index, bits);
    state.add(index, state.at(index + 1));
    state.xor(index + 2, state.at(index));
  }
}

function hashShort(message: Buffer, seeds: readonly [bigint, bigint]): bigint {
  const state = new State([...seeds, CONSTANT, CONSTANT]);
  let offset = 0;
  for (; offset + 32 <= message.length; offset += 32) {
    state.add(2, wordAt(message, offset));
    state.add(3, wordAt(message, offset + 8));
    mixShort(state);
    state.add(0, wordAt(message, offset + 16));
    state.add(1, wordAt(message, offset + 24));
  }
  if (message.length - offset >= 16) {
    state.add(2, wordAt(message, offset));
    state.add(3, wordAt(message, offset + 8));
    mixShort(state);
    offset += 16;
  }
  state.add(3, (BigInt(message.length) << 56n) & MASK);
  const tail = Buffer.alloc(16);
  message.copy(tail, 0, offset);
  const isEven = offset === message.length;
  state.add(2, isEven ? CONSTANT : wordAt(tail, 0));
  state.add(3, isEven ? CONSTANT : wordAt(tail, 8));
  for (const [step, bits] of SHORT_END.entries()) {
    const index = step + 3;
    state.xor(index, state.at(index + 3));
    state.rotate(index + 3, bits);
    state.add(index, state.at(index + 3));
  }
  return state.at(0);
}

function hashLong(message: Buffer, [first, second]: readonly [bigint, bigint]): bigint {
  const third = [first, second, CONSTANT];
  const state = new State([...third, ...third, ...third, ...third]);
  let offset = 0;
  for (; offset + BLOCK_BYTES <= message.length; offset += BLOCK_BYTES) {
    for (const [index, bits] of LONG_MIX.entries()) {
      state.add(index, wordAt(message, offset + index * WORD_BYTES));
      state.xor(index + 2, state.at(index + 10));
      state.xor(index + 11, state.at(index));
      state.rotate(index, bits);
      state.add(index + 11, state.at(index + 1));
    }
  }
  const tail = Buffer.alloc(BLOCK_BYTES);
  message.copy(tail, 0, offset);
  tail[BLOCK_BYTES - 1] = message.length - offset;
  for (let index = 0; index < VARIABLES; index++) state.add(index, wordAt(tail, index * WORD_BYTES));
  for (let round = 0; round < 3; round++) {
    for (const [index, bits] of LONG_END.entries()) {
      state.add(index + 11, state.at(index + 1));
      state.xor(index + 2, state.at(index + 11));
      state.rotate(index + 1, bits);
    }
  }
  return state.at(0);
}

/**
 * SpookyHash V2, the first of its two 64-bit words: what ProxySQL makes digests and checksums with.
 *
 * @see https://burtleburtle.net/bob/hash/spooky.html (public domain)
 */
export function spookyHash(message: Buffer, seeds: readonly [bigint, bigint]): bigint {
  return message.length < LONG_MESSAGE_BYTES ? hashShort(message, seeds) : hashLong(message, seeds);
}

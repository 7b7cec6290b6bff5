/**
 * Handshakes at once with one sshd. Its default MaxStartups (10:30:100) turns clients away at random from ten on that
 * have not authenticated yet; others may be logging in, too.
 * @see https://man.openbsd.org/sshd_config.5#MaxStartups
 */
const MAX_HANDSHAKES = 8;

/** Lets a few handshakes with one sshd go on at once, and fewer once it has turned one away. */
export class HandshakeGate {
  #width: number;
  #inside = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(width: number = MAX_HANDSHAKES) {
    this.#width = width;
  }

  /** Runs one handshake when there is room for it. */
  async pass<T>(handshake: () => Promise<T>): Promise<T> {
    if (this.#inside >= this.#width) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#inside += 1;
    try {
      return await handshake();
    } finally {
      this.#leave();
    }
  }

  /** This sshd takes fewer: half as many from here on. */
  narrow(): void {
    this.#width = Math.max(1, Math.floor(this.#width / 2));
  }

  #leave(): void {
    // A place goes from hand to hand, unless the gate has become narrower.
    const next = this.#inside <= this.#width ? this.#waiting.shift() : undefined;
    if (next !== undefined) next();
    else this.#inside -= 1;
  }
}

import { randomBytes } from "node:crypto";
import { BecomeError, ConnectError, type KbError, TimeoutError } from "../errors.ts";
import { quoteShell } from "../sh.ts";
import type { Connection, RemoteProcess, Target } from "../transport/transport.ts";
import { endSession } from "./end-session.ts";
import { type Frame, type FrameHandlers, FrameReader } from "./frames.ts";
import { describeBroken, lockedError } from "./lock-words.ts";
import { GREETING, LOCK_SIGN_MS, type LockRequest, renderAs, renderGreeting, renderPrelude } from "./render.ts";
import { NeedsTerminalError, startShell } from "./start-shell.ts";

/** Milliseconds that a question may take. */
export const QUESTION_MS = 60_000;
/** Added to an action's own limit, which the host enforces itself: this one is for a host that is gone. */
export const GRACE_MS = 30_000;

/** How long the host may be silent at one place of a script, and what it does there. */
export interface Deadline {
  /** Milliseconds, {@link QUESTION_MS} unless given. */
  readonly ms?: number;
  /** What is going on, for people. */
  readonly what: string;
  readonly task?: string | undefined;
  readonly where?: string | undefined;
}

/** How a script is run. */
export interface RunOptions {
  /** As another user than the shell's. */
  readonly user: string | undefined;
  /** By the frame or the place (`pTASK`) that was begun last; undefined between two. */
  deadline(at: string | undefined): Deadline;
}

/** How a shell is opened. */
export interface OpenOptions {
  readonly lock: LockRequest | undefined;
  /** Asked together with opening, at no round trip of its own: see {@link HeldShell#greeting}. */
  readonly greeting?: string | undefined;
  /** Another run's last action still goes on, and is waited for; or its lock was broken. */
  onWait(text: string): void;
}

/**
 * One POSIX shell on a host, held for the run and fed with framed scripts: a script of any number of questions and
 * actions is one round trip, and no new process of sshd.
 */
export class HeldShell {
  readonly #process: RemoteProcess;
  readonly #connection: Connection;
  readonly #target: Target;
  readonly #nonce: string;
  readonly #onWait: OpenOptions["onWait"];
  #handlers: FrameHandlers | undefined;
  #fail: ((error: KbError) => void) | undefined;
  #broken: KbError | undefined;
  #stderrTail = "";
  #pid: number | undefined;
  #givenUp = false;
  #signs: NodeJS.Timeout | undefined;
  #up: (() => void) | undefined;
  #greeted: ((frame: Frame) => void) | undefined;
  readonly #greeting: Promise<Frame>;
  #lose: ((error: KbError) => void) | undefined;
  /** Scripts sent, each one round trip. */
  roundTrips = 0;

  private constructor(
    connection: Connection,
    process: RemoteProcess,
    target: Target,
    nonce: string,
    onWait: OpenOptions["onWait"],
  ) {
    this.#connection = connection;
    this.#process = process;
    this.#target = target;
    this.#nonce = nonce;
    this.#onWait = onWait;
    this.#greeting = new Promise((resolve, reject) => {
      this.#greeted = resolve;
      this.#lose = reject;
    });
    this.#greeting.catch(() => {});
    // Writing to a process that is gone fails here first; `ended` tells the reason.
    process.stdin.on("error", () => {});
    new FrameReader(nonce, process.stdout, process.stderr, () => this.#withOwn());
    process.stderr.on("data", (chunk: Buffer) => {
      this.#stderrTail = (this.#stderrTail + chunk.toString("utf8")).slice(-2000);
    });
    void process.ended.then((reason) => {
      if (!this.#givenUp) this.#break(this.#ended(reason));
    });
  }

  /**
   * Starts the shell, under sudo where the target says so, and takes the host's lock where one is asked for.
   * @throws ConnectError for a refused or missing sudo password.
   */
  static async open(connection: Connection, target: Target, options: OpenOptions): Promise<HeldShell> {
    try {
      return await HeldShell.#open(connection, target, options);
    } catch (error) {
      if (!(error instanceof NeedsTerminalError)) throw error;
      return await HeldShell.#open(connection, target, options);
    }
  }

  static async #open(connection: Connection, target: Target, options: OpenOptions): Promise<HeldShell> {
    const nonce = randomBytes(16).toString("hex");
    const greeting = options.greeting === undefined ? undefined : renderGreeting(nonce, options.greeting);
    const { process, up } = await startShell(connection, target, nonce, greeting);
    const shell = new HeldShell(connection, process, target, nonce, options.onWait);
    await up((callback) => {
      shell.#up = callback;
    });
    process.stdin.write(renderPrelude(nonce, options.lock));
    if (options.lock !== undefined) shell.#keepLock();
    return shell;
  }

  /** Gives signs of life while there is nothing to do, as in a rolling run: an idle shell without them has lost us. */
  #keepLock(): void {
    this.#signs = setInterval(() => {
      if (this.#handlers === undefined && this.#broken === undefined) this.#process.stdin.write("kb_sign idle\n");
    }, LOCK_SIGN_MS);
    this.#signs.unref();
  }

  /** The answer to what was asked while it was opened. @throws KbError where the shell was lost before */
  async greeting(): Promise<Frame> {
    const timer = setTimeout(() => void this.#giveUp({ what: "what it was asked first" }), QUESTION_MS);
    try {
      return await this.#greeting;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Runs one framed script. @throws TimeoutError, ConnectError, LockedError; BecomeError where the user cannot be had */
  async run(script: string, handlers: FrameHandlers, { user, deadline }: RunOptions): Promise<void> {
    if (this.#broken !== undefined) throw this.#broken;
    this.roundTrips += 1;
    let timer: NodeJS.Timeout | undefined;
    let refused: BecomeError | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        this.#fail = reject;
        const arm = (at?: string): void => {
          clearTimeout(timer);
          timer = setTimeout(() => void this.#giveUp(deadline(at)), deadline(at).ms ?? QUESTION_MS);
        };
        arm();
        this.#handlers = {
          ...handlers,
          onPlace: arm,
          onBegin: (id) => {
            arm(id);
            handlers.onBegin?.(id);
          },
          onFrame: (frame) => {
            arm();
            handlers.onFrame(frame);
          },
          onRefused: (text) => {
            refused = this.#refused(user, text);
          },
          // Only now is nothing of this script on its way any more.
          onDone: () => {
            if (refused !== undefined) return reject(refused);
            handlers.onDone();
            resolve();
          },
        };
        const text = user === undefined ? script : renderAs(user, this.#nonce, script);
        // A group is parsed as a whole before any of it runs: half a script that a lost connection leaves does nothing.
        this.#process.stdin.write(
          `{ kb_sign busy\n${text}\nkb_end=; [ ! -e "$KB_STOP" ] || rm -f "$KB_STOP"; kb_sign idle; kb_mark d\n}\n`,
        );
      });
    } finally {
      clearTimeout(timer);
      this.#handlers = undefined;
      this.#fail = undefined;
    }
  }

  /** Asks the running script to stop before its next task, over a channel of its own. Never throws. */
  async stopSoon(): Promise<void> {
    const file = `keybuzz-stop-${this.#nonce}`;
    try {
      // By sh, since the login shell may be another.
      const script = `if [ -d /run/lock ]; then : >/run/lock/${file}; else : >/tmp/${file}; fi`;
      const touch = await this.#connection.start(`exec sh -c ${quoteShell(script)}`);
      await touch.ended;
    } catch {
      // No channel: the connection is going away, and the script with it at its next word.
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#signs);
    this.#process.stdin.end();
    this.#process.close();
  }

  #withOwn(): FrameHandlers {
    const current = this.#handlers ?? { onFrame: () => {}, onDone: () => {} };
    return {
      ...current,
      onUp: () => this.#up?.(),
      onFrame: (frame) => {
        if (frame.id === GREETING) this.#greeted?.(frame);
        else current.onFrame(frame);
      },
      onReady: (text) => {
        if (text.startsWith("locked ")) this.#break(lockedError(this.#target, text.slice("locked ".length)));
        else if (text.startsWith("waits ")) this.#onWait(text.slice("waits ".length));
        else if (text.startsWith("broke ")) this.#onWait(describeBroken(text.slice("broke ".length)));
        else this.#pid = Number.parseInt(text, 10) || undefined;
        current.onPlace?.("ready");
      },
    };
  }

  #break(error: KbError): void {
    this.#broken ??= error;
    this.#fail?.(this.#broken);
    this.#lose?.(this.#broken);
    this.#process.close();
  }

  /** Nothing of the script is left behind: what hangs on the host is ended there. */
  async #giveUp({ ms = QUESTION_MS, what, task, where }: Deadline): Promise<void> {
    this.#givenUp = true;
    const ended = await endSession(this.#connection, this.#target, this.#pid);
    const said = this.#said();
    this.#break(
      new TimeoutError(`no answer within ${Math.round(ms / 1000)} s`, {
        ...{ host: this.#target.name, task, where },
        detail: `it ran: ${what}\n${ended}${said === "" ? "" : `\n${said}`}`,
        hint: `look at the host (${sshHint(this.#target)}), then run the same command again`,
      }),
    );
  }

  #refused(user: string | undefined, text: string): BecomeError {
    return new BecomeError(`cannot work as ${user ?? "that user"}: ${text}`, {
      host: this.#target.name,
      hint: "add the task that makes the user before it, or let kb come in as root or as that user",
    });
  }

  /** The end of what came on standard error, without our own marks. */
  #said(): string {
    const lines = this.#stderrTail.split("\n").filter((line) => !line.includes(this.#nonce));
    return lines.join("\n").trim();
  }

  #ended(reason: string): ConnectError {
    return new ConnectError(`the connection was lost: ${reason}`, {
      host: this.#target.name,
      detail: this.#said(),
      hint: "run the same command again: it goes on from what it finds",
    });
  }
}

function sshHint(target: Target): string {
  return target.connection === "local" ? "it is this machine" : `ssh ${target.address}`;
}

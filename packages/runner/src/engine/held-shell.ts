import { randomBytes } from "node:crypto";
import { ConnectError, type KbError, LockedError, TimeoutError } from "../errors.ts";
import { quoteShell } from "../sh.ts";
import type { Connection, RemoteProcess, Target } from "../transport/transport.ts";
import { type FrameHandlers, FrameReader } from "./frames.ts";
import { type LockRequest, renderPrelude } from "./render.ts";

/** Milliseconds without a sign of life after which a step without a limit of its own is given up. */
const SILENCE_MS = 120_000;
const OPEN_MS = 30_000;
/** Added to a step's own limit, which the host enforces itself: this one is for a host that is gone. */
const GRACE_MS = 30_000;

/**
 * One POSIX shell on a host, held for the run and fed with framed scripts: a script of any number of questions and
 * actions is one round trip, and no new process of sshd.
 */
export class HeldShell {
  readonly #process: RemoteProcess;
  readonly #connection: Connection;
  readonly #target: Target;
  readonly #nonce: string;
  #handlers: FrameHandlers | undefined;
  #fail: ((error: KbError) => void) | undefined;
  #broken: KbError | undefined;
  #stderrTail = "";
  /** Scripts sent, each one round trip. */
  roundTrips = 0;

  private constructor(connection: Connection, process: RemoteProcess, target: Target, nonce: string) {
    this.#connection = connection;
    this.#process = process;
    this.#target = target;
    this.#nonce = nonce;
    // Writing to a process that is gone fails here first; `ended` tells the reason.
    process.stdin.on("error", () => {});
    new FrameReader(nonce, process.stdout, process.stderr, () => this.#withLock());
    process.stderr.on("data", (chunk: Buffer) => {
      this.#stderrTail = (this.#stderrTail + chunk.toString("utf8")).slice(-2000);
    });
    void process.ended.then((reason) => this.#break(this.#ended(reason)));
  }

  /**
   * Starts the shell, under sudo where the target says so, and takes the host's lock where one is asked for.
   * @throws ConnectError for a refused or missing sudo password.
   */
  static async open(connection: Connection, target: Target, lock: LockRequest | undefined): Promise<HeldShell> {
    const nonce = randomBytes(16).toString("hex");
    const become = (target.become ?? connection.user !== "root") && target.becomeUser !== connection.user;
    const process = await connection.start(become ? sudoCommand(target, nonce) : "exec sh");
    if (become) await passSudo(process, target, nonce);
    const shell = new HeldShell(connection, process, target, nonce);
    process.stdin.write(renderPrelude(nonce, lock));
    return shell;
  }

  /** Runs one framed script. `limits` has the longest time of each answer that has one, in milliseconds. */
  async run(script: string, handlers: FrameHandlers, limits: ReadonlyMap<string, number> = new Map()): Promise<void> {
    if (this.#broken !== undefined) throw this.#broken;
    this.roundTrips += 1;
    let timer: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        this.#fail = reject;
        const arm = (id?: string): void => {
          clearTimeout(timer);
          const limit = id === undefined ? undefined : limits.get(id);
          const ms = limit === undefined ? SILENCE_MS : limit + GRACE_MS;
          timer = setTimeout(() => this.#break(this.#silent(ms)), ms);
        };
        arm();
        this.#handlers = {
          ...handlers,
          onBegin: (id) => {
            arm(id);
            handlers.onBegin?.(id);
          },
          onFrame: (frame) => {
            arm();
            handlers.onFrame(frame);
          },
          onDone: () => {
            handlers.onDone();
            resolve();
          },
        };
        // A group is parsed as a whole before any of it runs: half a script that a lost connection leaves does nothing.
        this.#process.stdin.write(`{ :\n${script}\nkb_end=; kb_mark d\n}\n`);
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
      const touch = await this.#connection.start(
        `if [ -d /run/lock ]; then : >/run/lock/${file}; else : >/tmp/${file}; fi`,
      );
      await touch.ended;
    } catch {
      // No channel: the connection is going away, and the script with it at its next word.
    }
  }

  async close(): Promise<void> {
    this.#process.stdin.end();
    this.#process.close();
  }

  #withLock(): FrameHandlers {
    const current = this.#handlers ?? { onFrame: () => {}, onDone: () => {} };
    return {
      ...current,
      onReady: (text) => {
        if (text.startsWith("locked ")) this.#break(this.#locked(text.slice("locked ".length)));
        current.onReady?.(text);
      },
    };
  }

  #break(error: KbError): void {
    this.#broken ??= error;
    this.#fail?.(this.#broken);
    this.#process.close();
  }

  #locked(text: string): LockedError {
    const [age = "?", ...owner] = text.split(" ");
    return new LockedError("another run holds this host's lock", {
      host: this.#target.name,
      detail: `held for ${age} s by ${owner.join(" ") || "an unknown owner"}`,
      hint: "wait for that run to end; the lock is freed when its shell is gone",
    });
  }

  /** The end of what came on standard error, without our own marks. */
  #said(): string {
    const lines = this.#stderrTail.split("\n").filter((line) => !line.includes(this.#nonce));
    return lines.join("\n").trim();
  }

  #silent(ms: number): TimeoutError {
    return new TimeoutError(`no answer within ${Math.round(ms / 1000)} s`, {
      host: this.#target.name,
      detail: this.#said(),
      hint: `look at the host (${sshHint(this.#target)}), then run the same command again`,
    });
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

function sudoCommand(target: Target, nonce: string): string {
  const ask = target.becomePassword === undefined ? "-n" : `-S -p ${quoteShell(promptOf(nonce))}`;
  // -k: never a cached login, or the password line would be run by the shell as a command.
  return `exec sudo -k ${ask} -u ${quoteShell(target.becomeUser)} -- sh -c ${quoteShell(`echo ready-${nonce}; exec sh`)}`;
}

function promptOf(nonce: string): string {
  return `[sudo ${nonce.slice(0, 12)}] `;
}

/** Waits for the shell under sudo, answering its prompt once. The password is written only after the prompt was seen. */
async function passSudo(process: RemoteProcess, target: Target, nonce: string): Promise<void> {
  let errors = "";
  let output = "";
  let answered = false;
  const refuse = (message: string, hint: string): ConnectError =>
    new ConnectError(message, { host: target.name, detail: errors.replaceAll(promptOf(nonce), "").trim(), hint });
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(
      () => finish(refuse("sudo did not answer in time", "check sudo on that host by hand")),
      OPEN_MS,
    );
    const onError = (chunk: Buffer): void => {
      errors += chunk.toString("utf8");
      const prompts = errors.split(promptOf(nonce)).length - 1;
      if (prompts > (answered ? 1 : 0)) {
        if (answered) finish(refuse("sudo refused the password", "check ansible_become_password"));
        else process.stdin.write(`${target.becomePassword?.reveal() ?? ""}\n`);
        answered = true;
      }
    };
    const onOutput = (chunk: Buffer): void => {
      output += chunk.toString("latin1");
      if (output.includes(`ready-${nonce}`)) finish();
    };
    function finish(error?: ConnectError): void {
      clearTimeout(timer);
      process.stderr.off("data", onError);
      process.stdout.off("data", onOutput);
      if (error === undefined) resolve();
      else {
        process.close();
        reject(error);
      }
    }
    process.stderr.on("data", onError);
    process.stdout.on("data", onOutput);
    void process.ended.then((reason) =>
      finish(
        refuse(
          `sudo did not give a shell (${reason})`,
          target.becomePassword === undefined
            ? "give the password: set ansible_become_password, or type it with --ask-become-pass"
            : "check ansible_become_password and the host's sudoers",
        ),
      ),
    );
  });
}

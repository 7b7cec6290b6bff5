import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Secret } from "../secret.ts";
import { quoteShell } from "../sh.ts";

/** Answers what ssh(1) asks; undefined for no answer. */
export type AnswerPrompt = (prompt: string) => Promise<Secret | undefined>;

const CLIENT = fileURLToPath(new URL(`askpass-main${import.meta.url.slice(-3)}`, import.meta.url));

/**
 * A folder that only we can look into, with a program for SSH_ASKPASS that brings ssh's questions to this process. Secrets
 * go over a Unix socket in that folder: they are in no argument, no environment and no file.
 */
export class AskpassBridge {
  readonly folder: string;
  readonly #server: net.Server;
  readonly #answers = new Map<string, AnswerPrompt>();

  private constructor(folder: string) {
    this.folder = folder;
    this.#server = net.createServer({ allowHalfOpen: true }, (socket) => this.#serve(socket));
    this.#server.unref();
  }

  static async open(): Promise<AskpassBridge> {
    const bridge = new AskpassBridge(await mkdtemp(join(tmpdir(), "kb-ssh-")));
    const script = `#!/bin/sh\nexec ${quoteShell(process.execPath)} ${quoteShell(CLIENT)} ${quoteShell(bridge.#socket)} "$@"\n`;
    await writeFile(bridge.#program, script, { mode: 0o700 });
    await new Promise<void>((resolve, reject) => {
      bridge.#server.once("error", reject);
      bridge.#server.listen(bridge.#socket, resolve);
    });
    await chmod(bridge.#socket, 0o600);
    return bridge;
  }

  get #program(): string {
    return join(this.folder, "askpass");
  }

  get #socket(): string {
    return join(this.folder, "socket");
  }

  /** The environment of an ssh whose questions go to `answer`. The name in it is no secret: the folder is closed. */
  environment(name: string, answer: AnswerPrompt): Readonly<Record<string, string>> {
    this.#answers.set(name, answer);
    return { SSH_ASKPASS: this.#program, SSH_ASKPASS_REQUIRE: "force", KB_ASKPASS_NAME: name, DISPLAY: "none:0" };
  }

  async close(): Promise<void> {
    this.#server.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  #serve(socket: net.Socket): void {
    let text = "";
    socket.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    socket.on("error", () => {});
    socket.on("end", () => {
      const [name = "", ...prompt] = text.split("\n");
      const answer = this.#answers.get(name)?.(prompt.join("\n")) ?? Promise.resolve(undefined);
      void answer.then(
        (secret) => socket.end(secret === undefined ? "" : `=${secret.reveal()}`),
        () => socket.end(),
      );
    });
  }
}

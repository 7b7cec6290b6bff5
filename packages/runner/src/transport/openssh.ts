import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { ConnectError } from "../errors.ts";
import type { Secret } from "../secret.ts";
import { type AnswerPrompt, AskpassBridge } from "./askpass.ts";
import type { SshOptions } from "./connect.ts";
import { HandshakeGate } from "./handshake-gate.ts";
import { endOf, lossIn, pastMark } from "./openssh-process.ts";
import { SshConfig, type SshSettings } from "./ssh-config.ts";
import type { Connection, RemoteProcess, Target } from "./transport.ts";

/** Time for what people do in between: a touch on a security key, a one-time code. */
const LOGIN_MS = 120_000;
const CONNECT_S = 15;

/**
 * The system's ssh(1) as a way in: certificates, security keys, GSSAPI, ProxyCommand, post-quantum key exchange, and what
 * else it can do. One ssh holds the connection and the first session of a host; later sessions go through it
 * (ControlMaster), so that there is one connection and one login a host here, too.
 */
export class OpensshTransport {
  readonly #options: SshOptions;
  readonly #config: SshConfig;
  readonly #gates = new Map<string, HandshakeGate>();
  /** Each host's ssh asks for itself; a person is asked once. */
  readonly #passphrases = new Map<string, Promise<Secret | undefined>>();
  #bridge: Promise<AskpassBridge> | undefined;
  #users = 0;

  constructor(options: SshOptions) {
    this.#options = options;
    this.#config = new SshConfig({ configFile: options.configFile });
  }

  /** Opens nothing yet: the first command makes the connection. @throws ConnectError */
  async connect(target: Target): Promise<Connection> {
    const { address: host, port, user, sshArgs: args = [] } = target;
    const settings = await this.#config.settingsOf({ host, port, user, args });
    this.#bridge ??= AskpassBridge.open();
    this.#users += 1;
    const bridge = await this.#bridge;
    const login = settings.user ?? "root";
    const argv = this.#arguments(target, settings, login, join(bridge.folder, randomBytes(6).toString("hex")));
    const env = { ...process.env, ...bridge.environment(argv.control, this.#answers(target)) };
    return new OpensshConnection(target, login, { ...argv, env }, this.#gateOf(settings), () => this.#release(bridge));
  }

  async #release(bridge: AskpassBridge): Promise<void> {
    this.#users -= 1;
    if (this.#users > 0) return;
    this.#bridge = undefined;
    await bridge.close();
  }

  /** A bastion sees each host's ssh by itself. */
  #gateOf(settings: SshSettings): HandshakeGate {
    const key = settings.proxyJump ?? settings.proxyCommand ?? `${settings.host}:${settings.port}`;
    const gate = this.#gates.get(key) ?? new HandshakeGate();
    this.#gates.set(key, gate);
    return gate;
  }

  #arguments(target: Target, settings: SshSettings, user: string, control: string): OpensshArguments {
    const { hostKeys, knownHostsFiles, configFile } = this.#options;
    const policy = { strict: "yes", "accept-new": "accept-new", off: "no" }[hostKeys ?? settings.hostKeys];
    const { keepalive, connectTimeoutMs } = settings;
    const options = [
      `StrictHostKeyChecking=${policy}`,
      ...(knownHostsFiles === undefined
        ? []
        : [`UserKnownHostsFile=${knownHostsFiles.join(" ")}`, "GlobalKnownHostsFile=none"]),
      `ConnectTimeout=${connectTimeoutMs === undefined ? CONNECT_S : connectTimeoutMs / 1000}`,
      `ServerAliveInterval=${keepalive.intervalMs / 1000}`,
      `ServerAliveCountMax=${keepalive.countMax}`,
      // A wrong password is told once and not tried three times.
      "NumberOfPasswordPrompts=1",
      ...["ForwardAgent=no", "ForwardX11=no", "ClearAllForwardings=yes", "PermitLocalCommand=no", "RemoteCommand=none"],
      ...["RequestTTY=no", "SessionType=default", "StdinNull=no", "ForkAfterAuthentication=no", "EscapeChar=none"],
      ...["ControlPersist=no", `ControlPath=${control}`, "LogLevel=INFO"],
    ].flatMap((option) => ["-o", option]);
    const { port, privateKeyFile, sshArgs = [], address } = target;
    return {
      control,
      args: [
        ...(configFile === undefined ? [] : ["-F", configFile]),
        // The first of two values counts: what kb stands on comes before what an inventory adds.
        ...options,
        ...sshArgs,
        ...(port === undefined ? [] : ["-p", String(port)]),
        ...(privateKeyFile === undefined ? [] : ["-i", privateKeyFile]),
        ...["-l", user, "--", address],
      ],
    };
  }

  #passphrase(keyFile: string, wrong: boolean): Promise<Secret | undefined> {
    const known = wrong ? undefined : this.#passphrases.get(keyFile);
    const answer = known ?? this.#options.askPassphrase?.(keyFile, wrong) ?? Promise.resolve(undefined);
    this.#passphrases.set(keyFile, answer);
    return answer;
  }

  #answers(target: Target): AnswerPrompt {
    const asked = new Set<string>();
    return async (prompt) => {
      const keyFile = /passphrase for key '(.+)'/i.exec(prompt)?.[1];
      const wrong = asked.has(prompt);
      asked.add(prompt);
      if (keyFile !== undefined) return this.#passphrase(keyFile, wrong);
      if (/password:?\s*$/i.test(prompt) && target.password !== undefined) return wrong ? undefined : target.password;
      // Trust is decided by --host-keys, never at a question that fifty hosts would ask at once.
      return /\(yes\/no/i.test(prompt) ? undefined : this.#options.ask?.(prompt);
    };
  }
}

interface OpensshArguments {
  readonly args: readonly string[];
  /** The socket by which later sessions find the first. */
  readonly control: string;
}

interface Started {
  readonly child: ChildProcessWithoutNullStreams;
  readonly stderr: () => string;
}

class OpensshConnection implements Connection {
  readonly user: string;
  readonly #target: Target;
  readonly #ssh: OpensshArguments & { readonly env: NodeJS.ProcessEnv };
  readonly #gate: HandshakeGate;
  readonly #onClose: () => Promise<void>;
  readonly #children = new Set<ChildProcessWithoutNullStreams>();
  #first: Promise<RemoteProcess> | undefined;

  constructor(
    target: Target,
    user: string,
    ssh: OpensshArguments & { readonly env: NodeJS.ProcessEnv },
    gate: HandshakeGate,
    onClose: () => Promise<void>,
  ) {
    this.user = user;
    this.#target = target;
    this.#ssh = ssh;
    this.#gate = gate;
    this.#onClose = onClose;
  }

  async start(command: string): Promise<RemoteProcess> {
    if (this.#first === undefined) {
      this.#first = this.#gate.pass(() => this.#open(command, ["-o", "ControlMaster=yes"]));
      // Each later caller learns of it by itself.
      this.#first.catch(() => {});
      return this.#first;
    }
    await this.#first;
    return this.#open(command, ["-o", "ControlMaster=no"]);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#children].map(endOf));
    await this.#onClose();
  }

  /** Starts a session; what a noisy login says before the command begins is dropped. */
  async #open(command: string, options: readonly string[]): Promise<RemoteProcess> {
    const mark = `kb-${randomBytes(16).toString("hex")}`;
    const { child, stderr } = this.#spawn([...options, ...this.#ssh.args, `printf '%s\\n' ${mark}; ${command}`]);
    const ended = new Promise<string>((resolve) => {
      child.once("close", (code, signal) => {
        this.#children.delete(child);
        // ssh's own failures are 255; a command's code may be the same, and then its words tell.
        if (code === 255) resolve(lossIn(stderr()));
        else resolve(signal === null ? `the remote shell ended with ${code}` : `ssh got ${signal}`);
      });
    });
    const started = await Promise.race([
      pastMark(child.stdout, mark).then(() => undefined),
      ended.then((reason) => this.#refused(reason, stderr())),
      this.#tooLate(child),
    ]);
    if (started !== undefined) {
      child.kill();
      throw started;
    }
    return { stdin: child.stdin, stdout: child.stdout, stderr: child.stderr, ended, close: () => void child.kill() };
  }

  #spawn(args: readonly string[]): Started {
    // In a session of its own: Ctrl-C is for us, and ssh has no terminal to ask on but through us.
    const child = spawn("ssh", args, { stdio: "pipe", env: this.#ssh.env, detached: true });
    this.#children.add(child);
    child.stdin.on("error", () => {});
    let errors = "";
    child.stderr.on("data", (chunk: Buffer) => {
      errors = (errors + chunk.toString("utf8")).slice(-4000);
    });
    child.once("error", (cause: Error) => {
      errors = `cannot start ssh: ${cause.message}`;
    });
    return { child, stderr: () => errors };
  }

  #refused(reason: string, stderr: string): ConnectError {
    const { name, address, port } = this.#target;
    const where = `${this.user}@${address}${port === undefined ? "" : `:${port}`}`;
    return new ConnectError(`ssh cannot log in to ${where}: ${reason}`, {
      host: name,
      detail: stderr.trim(),
      hint: `does this work: ssh${port === undefined ? "" : ` -p ${port}`} ${this.user}@${address} true`,
    });
  }

  async #tooLate(child: ChildProcessWithoutNullStreams): Promise<ConnectError> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, LOGIN_MS);
      timer.unref();
      child.once("close", () => clearTimeout(timer));
    });
    return this.#refused(`no login within ${LOGIN_MS / 1000} s`, "");
  }
}

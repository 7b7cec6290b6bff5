import { type ChildProcess, execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createNamespacePair, type NamespacePair, Peer, spawnInside } from "./testing/netns.ts";
import { type Line, type RecordedRow, readRecording, withoutVolatile } from "./testing/recording.ts";
import type { ClientError, ClientReply } from "./testing/wire-client.ts";

const HOST = "10.0.0.173";
const DATADIR = "/var/lib/proxysql";
const BACKENDS = ["10.0.0.170", "10.0.0.171", "10.0.0.172"];
const QUERY_TIMEOUT_MS = 30_000;
const HANG_MS = 2_000;
const CONFIG = `datadir="DATADIR"
errorlog="DATADIR/proxysql.log"
admin_variables={ admin_credentials="admin:admin;radmin:radmin"; mysql_ifaces="0.0.0.0:6032" }
mysql_variables={ interfaces="0.0.0.0:3306"; threads=2 }
`;

/** Why the replay cannot run here; null if it can. */
function obstacle(): string | null {
  if (process.getuid?.() !== 0) return "it makes network namespaces, which takes root";
  try {
    execFileSync("ip", ["netns", "list"], { stdio: "ignore" });
    return null;
  } catch {
    return "it makes network namespaces, which this machine has not got";
  }
}

interface Login {
  readonly greeting?: { readonly serverVersion: string; readonly authPlugin: string; readonly capabilities: number };
  readonly error?: ClientError;
}

/** The server under test, and clients where the recording's stood. */
class Bench {
  readonly datadir = mkdtempSync(join(tmpdir(), "kb-proxysql-"));
  readonly namespaces: NamespacePair = createNamespacePair(["10.0.0.1", ...BACKENDS], [HOST]);
  readonly remote = new Peer(this.namespaces.client);
  readonly local = new Peer(this.namespaces.server);
  #process: ChildProcess | null = null;

  async start(): Promise<void> {
    const config = join(this.datadir, "proxysql.cnf");
    mkdirSync(this.datadir, { recursive: true });
    writeFileSync(config, CONFIG.replaceAll("DATADIR", this.datadir));
    const binary = process.env["KB_LAB_PROXYSQL"];
    const main = fileURLToPath(new URL("main.ts", import.meta.url));
    const command = binary === undefined ? [process.execPath, main] : [binary];
    this.#process = spawnInside(this.namespaces.server, [...command, "-f", "-c", config, "-D", this.datadir], false);
    await this.login();
  }

  async login(): Promise<void> {
    const deadline = Date.now() + 15_000;
    for (;;) {
      const login = await this.connect("radmin", "radmin", 6032, "main");
      if (login.greeting !== undefined) return;
      if (Date.now() > deadline) throw new Error(`the admin port did not come up: ${JSON.stringify(login)}`);
      await sleep(100);
    }
  }

  connect(user: string, password: string, port: number, name: string): Promise<Login> {
    return this.remote.ask<Login>({ op: "login", name, host: HOST, port, user, password });
  }

  query(sql: string, name = "main", timeoutMs = QUERY_TIMEOUT_MS): Promise<ClientReply> {
    const peer = name === "main" || name === "other" ? this.remote : this.local;
    return peer.ask<ClientReply>({ op: "query", name, sql, timeoutMs });
  }

  async terminate(): Promise<void> {
    const running = this.#process;
    if (running === null || running.exitCode !== null) return;
    running.kill("SIGTERM");
    await once(running, "exit");
  }

  async exited(): Promise<number | null> {
    const running = this.#process;
    if (running !== null && running.exitCode === null) await once(running, "exit");
    return running?.exitCode ?? null;
  }

  async end(): Promise<void> {
    await this.terminate();
    this.remote.end();
    this.local.end();
    this.namespaces.remove();
    rmSync(this.datadir, { recursive: true, force: true });
  }
}

function asRecords(reply: Extract<ClientReply, { rows: unknown }>): RecordedRow[] {
  return reply.rows.map((row) =>
    Object.fromEntries(reply.columns.map((column, index) => [column, row[index]?.toString() ?? null])),
  );
}

/** A reply in the words of the recording. */
function describeReply(reply: ClientReply, line: Line, datadir: string): object {
  if ("ok" in reply) return { ok: reply.ok };
  if ("error" in reply) return { error: reply.error };
  const rows = withoutVolatile(line.sql ?? "", asRecords(reply)).slice(0, line.rows?.length || undefined);
  const text = JSON.stringify(rows).replaceAll(datadir || DATADIR, DATADIR);
  return {
    rows: JSON.parse(text) as RecordedRow[],
    ...(reply.rows.length === 0 ? { columns: reply.columns } : {}),
    ...(line.rowCount === undefined ? {} : { rowCount: reply.rows.length }),
  };
}

function describeRecorded(line: Line): object {
  if (line.ok !== undefined) return { ok: line.ok };
  if (line.error !== undefined) {
    const { code, state, message } = line.error;
    return { error: { code, state, message } };
  }
  return {
    rows: withoutVolatile(line.sql ?? "", line.rows ?? []),
    ...(line.columns === undefined ? {} : { columns: line.columns }),
    ...(line.rowCount === undefined ? {} : { rowCount: line.rowCount }),
  };
}

async function replaySql(bench: Bench, line: Line): Promise<void> {
  const name = line.user ?? "main";
  const timeoutMs = line.connection === "lost" ? HANG_MS : QUERY_TIMEOUT_MS;
  const reply = await bench.query(line.sql ?? "", name, timeoutMs);
  expect(describeReply(reply, line, bench.datadir), line.sql).toEqual(describeRecorded(line));
  if (line.connection === "lost" && line.sql === "PROXYSQL STOP") await bench.login();
}

async function replayConnect(bench: Bench, line: Line): Promise<void> {
  const { user = "", password = "", port = 0 } = line;
  const login = await bench.connect(user, password, port, "other");
  if (line.login === "refused") {
    expect(login.error, `login of ${user}`).toEqual(line.error);
    return;
  }
  expect(login.greeting, `login of ${user}`).toMatchObject({
    authPlugin: line.auth_plugin,
    serverVersion: line.server_version,
  });
  const select1 = line.select1 ?? { number: 0 };
  const reply = await bench.query("SELECT 1", "other");
  const rows = select1.rows?.map((row) => ({ 1: String(row["1"]) }));
  const recorded = { ...select1, ...(rows === undefined ? {} : { rows }) };
  expect(describeReply(reply, recorded, ""), `SELECT 1 of ${user}`).toEqual(describeRecorded(recorded));
  await bench.remote.ask({ op: "close", name: "other" });
}

const RAW_COMMANDS: Readonly<Record<string, string>> = {
  COM_PING: "0e",
  COM_STMT_PREPARE: `16${Buffer.from("SELECT 1").toString("hex")}`,
  "COM_INIT_DB main": `02${Buffer.from("main").toString("hex")}`,
  "COM_INIT_DB nosuch": `02${Buffer.from("nosuch").toString("hex")}`,
  COM_STATISTICS: "09",
  COM_CHANGE_USER: `11${Buffer.from("radmin\0\0main\0").toString("hex")}`,
  COM_RESET_CONNECTION: "1f",
  COM_SET_OPTION: "1b0000",
  "COM_QUERY empty": "03",
};

async function replayRaw(bench: Bench, line: Line): Promise<void> {
  const command = (line.action ?? "").replace("raw command ", "");
  await bench.connect("radmin", "radmin", 6032, "other");
  const hex = RAW_COMMANDS[command] ?? "";
  const reply = await bench.remote.ask<{ hex: string | null }>({ op: "raw", name: "other", hex, timeoutMs: HANG_MS });
  if (line.exception !== undefined) {
    expect(reply.hex, command).toBeNull();
  } else if (command === "COM_STATISTICS") {
    const text = Buffer.from(reply.hex?.slice(8) ?? "", "hex").toString();
    expect(text.replace(/Uptime: \d+/, "Uptime: 2")).toBe(
      Buffer.from(line.first_bytes?.slice(8) ?? "", "hex").toString(),
    );
  } else {
    expect(reply.hex?.slice(0, line.first_bytes?.length), command).toBe(line.first_bytes);
  }
}

async function replayDatabase(bench: Bench, line: Line): Promise<void> {
  const database = /database (\w+)/.exec(line.action ?? "")?.[1] ?? "";
  const at = { host: HOST, port: 6032, user: "radmin", password: "radmin" };
  const login = await bench.remote.ask<Login>({ op: "login", name: "other", ...at, database });
  expect(login.error).toBeUndefined();
  const reply = await bench.query("SELECT DATABASE()", "other");
  expect(describeReply(reply, { number: 0 }, "")).toEqual({ rows: line.db?.rows });
}

async function replayLocal(bench: Bench, line: Line): Promise<void> {
  const user = line.user ?? "";
  const at = { host: "127.0.0.1", port: 6032, user, password: user };
  const login = await bench.local.ask<Login>({ op: "login", name: user, ...at });
  expect(login.error).toBeUndefined();
}

async function replayGreeting(bench: Bench, line: Line): Promise<void> {
  const { greeting } = await bench.connect("radmin", "radmin", 6032, "other");
  expect(greeting?.serverVersion).toBe(line.server_version);
  expect(greeting?.authPlugin).toBe(line.auth_plugin);
  expect(`0x${greeting?.capabilities.toString(16)}`).toBe(line.capabilities);
}

async function replayRestart(bench: Bench): Promise<void> {
  await bench.terminate();
  await bench.start();
}

async function replayEnd(bench: Bench): Promise<void> {
  expect(await bench.exited()).toBe(0);
  await bench.start();
}

async function replaySelfRestart(bench: Bench): Promise<void> {
  await sleep(500);
  await bench.login();
  const reply = await bench.query(
    "SELECT Variable_Value FROM stats_mysql_global WHERE Variable_Name='ProxySQL_Uptime'",
  );
  expect("rows" in reply && Number(reply.rows[0]?.[0])).toBeLessThan(10);
}

const ACTIONS: readonly (readonly [RegExp, (bench: Bench, line: Line) => Promise<void>])[] = [
  [/^connect$/, replayConnect],
  [/^connect from 127/, replayLocal],
  [/^raw command/, replayRaw],
  [/^admin greeting/, replayGreeting],
  [/^connect with database/, replayDatabase],
  [/^restart/, replayRestart],
  [/^process state/, replayEnd],
  [/^after PROXYSQL RESTART/, replaySelfRestart],
];

const reason = obstacle();
describe.skipIf(reason !== null)(
  `the recorded exchanges with the admin port${reason === null ? "" : ` (${reason})`}`,
  () => {
    const lines = readRecording();
    let bench: Bench;

    beforeAll(async () => {
      bench = new Bench();
      await bench.remote.ask({ op: "listen", hosts: BACKENDS });
      await bench.start();
    }, 30_000);

    afterAll(async () => {
      await bench?.end();
      for (const path of ["/tmp/px-export.cnf", "/tmp/px-export2.cnf"]) rmSync(path, { force: true });
    });

    for (const line of lines) {
      const title = `${line.number}: ${line.sql ?? line.action}`.slice(0, 110);
      const replay =
        line.sql === undefined ? ACTIONS.find(([pattern]) => pattern.test(line.action ?? ""))?.[1] : replaySql;
      if (replay !== undefined) test(title, () => replay(bench, line), 60_000);
    }

    test("the datadir says that a stand-in wrote it", () => {
      if (process.env["KB_LAB_PROXYSQL"] === undefined) {
        expect(readFileSync(join(bench.datadir, "stand-in"), "utf8")).toMatch(/not the real ProxySQL/);
      }
    });
  },
);

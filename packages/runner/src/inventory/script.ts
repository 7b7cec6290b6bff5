import { accessSync, closeSync, constants, openSync, readSync } from "node:fs";
import pLimit from "p-limit";
import { InventoryError } from "../errors.ts";
import { describeEnd, runProgram } from "../transport/program.ts";
import type { InventoryBuilder } from "./builder.ts";
import { addHostVars, addListing } from "./data.ts";
import { shown } from "./read-text.ts";

const TIMEOUT_MS = 60_000;
/** Hosts asked for at once, by scripts that have no `_meta`. */
const AT_ONCE = 8;

/** Whether a file is a program that prints an inventory: executable, or with a `#!` in front. */
export function isScript(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return firstBytes(file) === "#!";
  }
}

/**
 * Runs an inventory script with `--list`, and with `--host NAME` for each host where it gives no `_meta`, and adds what
 * it prints. It has a minute for each answer.
 * @throws InventoryError with what it wrote on standard error
 */
export async function addScript(file: string, builder: InventoryBuilder, timeoutMs = TIMEOUT_MS): Promise<void> {
  const before = new Set(builder.hostNames());
  const name = shown(file);
  const hostVars = addListing(name, await ask(file, ["--list"], timeoutMs), builder);
  if (hostVars !== undefined) {
    for (const [host, vars] of Object.entries(hostVars)) {
      if (builder.hasHost(host)) addHostVars(name, host, vars, builder);
      else builder.warn(`${name}: _meta has vars of ${host}, which is in no group`);
    }
    return;
  }
  const limit = pLimit(AT_ONCE);
  const hosts = builder.hostNames().filter((host) => !before.has(host));
  const answers = await Promise.all(hosts.map((host) => limit(() => ask(file, ["--host", host], timeoutMs))));
  for (const [index, host] of hosts.entries()) addHostVars(name, host, answers[index], builder);
}

async function ask(file: string, args: readonly string[], timeoutMs: number): Promise<unknown> {
  const end = await runProgram([file, ...args], { timeoutMs });
  const command = `${shown(file)} ${args.join(" ")}`;
  if (end.kind !== "exited" || end.exitCode !== 0) {
    throw new InventoryError(`the inventory script failed: ${command}`, {
      detail: [describeEnd(end), end.stderr.trim()].filter((line) => line !== "").join("\n"),
      hint: "start it by hand, and see what it says",
      cause: end.kind === "failed" ? end.cause : undefined,
    });
  }
  if (args[0] === "--host" && end.stdout.trim() === "") return {};
  try {
    return JSON.parse(end.stdout) as unknown;
  } catch (cause) {
    throw new InventoryError(`what the inventory script printed is no JSON: ${command}`, {
      detail: [cause instanceof Error ? cause.message : String(cause), end.stderr.trim()].join("\n").trim(),
      cause,
    });
  }
}

function firstBytes(file: string): string {
  const bytes = Buffer.alloc(2);
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, "r");
    readSync(descriptor, bytes);
  } catch {
    return "";
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
  return bytes.toString("latin1");
}

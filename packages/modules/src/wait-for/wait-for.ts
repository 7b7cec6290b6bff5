import { ask, defineModule, type ModuleSpec, type Output, Secret, type Sh, sh } from "@keybuzz/runner";
import * as z from "zod";
import { absolutePath, oneLine, shellText } from "../params/params.ts";

const params = z
  .strictObject({
    port: z.int().min(1).max(65535).optional().describe("A TCP port to await."),
    host: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9.:-]*$/, "must be a host name or address")
      .optional()
      .describe(
        "Where the port is: the managed host connects there, and database servers count that as a failed login. Unless given: a listener of the managed host itself, looked up without a connection.",
      ),
    path: absolutePath().optional().describe("A path to await."),
    test: shellText().optional().describe("A read-only script to await: its exit code 0."),
    state: z
      .enum(["started", "stopped", "present", "absent"])
      .default("started")
      .describe("started, present: open, existing. stopped, absent: the opposite. For `port` and `path`."),
    stdin: z
      .instanceof(Secret)
      .refine((text) => !text.reveal().includes("\0"), "must not hold a NUL character")
      .optional()
      .describe("What `test` reads on standard input: a password."),
    what: oneLine()
      .optional()
      .describe("What is awaited, for labels and messages; made from the other params unless given."),
    timeoutMs: z.int().min(1000).default(300_000).describe("Longest time to wait, in milliseconds."),
    onTimeout: shellText()
      .optional()
      .describe("Run when the time is over; what it prints becomes part of the message."),
  })
  .refine(
    ({ port, path, test }) => [port, path, test].filter((one) => one !== undefined).length === 1,
    "exactly one of port, path and test is needed",
  )
  .refine(({ host, port }) => host === undefined || port !== undefined, "host needs port")
  .refine(({ stdin, test }) => stdin === undefined || test !== undefined, "stdin needs test");

type Params = z.output<typeof params>;
type WaitState = { readonly met: boolean };

/** A script that exits with 0 where it is met, 1 where not, and otherwise where it cannot be told. */
function condition({ port, host, path, test, state }: Params): Sh {
  const opposite = state === "stopped" || state === "absent";
  if (test !== undefined) return test;
  if (path !== undefined) return opposite ? sh`[ ! -e ${path} ] && [ ! -L ${path} ]` : sh`[ -e ${path} ]`;
  const open = host === undefined ? listens(port ?? 0) : connects(host, port ?? 0);
  return opposite ? sh`{ ${open}; }; case $? in 0) exit 1;; 1) exit 0;; *) exit 2;; esac` : open;
}

/**
 * Whether a socket of this host listens, on any of its addresses. /proc/net is there without any package, and a look does
 * not count as a failed connection: MariaDB blocks a host after too many of those (max_connect_errors).
 * @see https://man7.org/linux/man-pages/man5/proc_net.5.html
 */
function listens(port: number): Sh {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  return sh`[ -r /proc/net/tcp ] || exit 2; cat /proc/net/tcp* | grep -q ${`:${hex} 0*:0000 0A `}`;
}

/** By bash, which Debian calls essential: a minimal host has no nc. A name that cannot be resolved is no closed port. */
function connects(host: string, port: number): Sh {
  return sh`getent ahosts ${host} >/dev/null || exit 2; timeout 3 bash -c 'exec 3<>"/dev/tcp/$0/$1"' ${host} ${port} 2>/dev/null || (exit 1)`;
}

function describe({ what, port, host, path, test, state }: Params): string {
  if (what !== undefined) return what;
  if (test !== undefined) return test.text.split("\n")[0]?.trim() ?? "a test";
  const about = path ?? (host === undefined ? `port ${port}` : `${host}:${port}`);
  const words = { started: "open", stopped: "closed", present: "there", absent: "gone" };
  const pathWords = { started: "there", stopped: "gone", present: "there", absent: "gone" };
  return `${about} to be ${path === undefined ? words[state] : pathWords[state]}`;
}

function parse(given: Params, { stderr, exitCode }: Output): WaitState {
  if (exitCode <= 1 || given.test !== undefined) return { met: exitCode === 0 };
  throw new Error(`waiting for ${describe(given)}: it cannot be told: ${stderr.trim() || `exit ${exitCode}`}`);
}

const spec: ModuleSpec<typeof params, WaitState> = {
  name: "wait_for",
  summary: "Wait for a port, a path or a test",
  params,
  gate: true,
  id: describe,
  probe: (given) => {
    const script = sh`( ${condition(given)}
) >/dev/null`;
    return ask(given.stdin === undefined ? script : { script, stdin: given.stdin }, (output) => parse(given, output));
  },
  desired: () => ({ met: true }),
  plan: ({ params: given }) => [
    {
      kind: "wait",
      what: describe(given),
      until: condition(given),
      timeoutMs: given.timeoutMs,
      ...(given.stdin === undefined ? {} : { stdin: given.stdin }),
      ...(given.onTimeout === undefined ? {} : { onTimeout: given.onTimeout }),
    },
  ],
};

/**
 * Waits until a port is open or closed, a path is there or gone, or a test succeeds; fails when the time is over.
 *
 * ```ts
 * waitFor({ port: 3306, timeoutMs: 60_000 })
 * waitFor({ what: "the node to be Synced", test: sh`grep -q Synced /run/state`, timeoutMs: 900_000 })
 * ```
 */
export const waitFor = defineModule(spec);

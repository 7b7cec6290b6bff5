import { Secret } from "@keybuzz/runner";
import * as z from "zod";
import { beforeStop } from "../params/before-stop.ts";
import { imageRef } from "../params/image-ref.ts";
import { absolutePath, oneLine } from "../params/params.ts";
import { ready } from "../params/ready.ts";

const envValue = z
  .union([z.string(), z.number(), z.instanceof(Secret)])
  .transform((value) => (typeof value === "number" ? String(value) : value))
  .refine((value) => !/[\n\r\0]/.test(value instanceof Secret ? value.reveal() : value), "must be one line");

const volume = z
  .string()
  .regex(/^[^:,]+:\/[^:,]*(:[A-Za-z,]+)?$/, "must be SOURCE:TARGET or SOURCE:TARGET:OPTIONS, as /etc/x:/etc/x:ro");

const milliseconds = (what: string) =>
  z.int().min(0).default(0).describe(`Milliseconds ${what}; 0: Docker's own default`);

/** Params of `docker_container`; the words are those of `docker run` and of Ansible. */
export const params = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-zA-Z0-9][a-zA-Z0-9_-]+$/, "must be the name of a container")
      .describe("Name of the container"),
    image: imageRef().optional().describe("Image with its tag or digest, as mariadb:11.8; needed unless absent"),
    state: z
      .enum(["started", "present", "stopped", "absent"])
      .default("started")
      .describe("started: runs; stopped: exists and does not run; present: exists; absent: does not exist"),
    command: z.array(z.string()).optional().describe("Words of the command; the image's own unless given"),
    entrypoint: z.array(z.string()).min(1).optional().describe("Words of the entrypoint; the image's own unless given"),
    env: z
      .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_.-]*$/, "must be the name of a variable"), envValue)
      .optional()
      .describe(
        "Environment variables. A Secret among them is never in an argument, but `docker inspect` shows it to whoever may " +
          "use docker: prefer an image's NAME_FILE variables with a mounted 0600 file",
      ),
    network_mode: z
      .string()
      .regex(/^[a-zA-Z0-9][a-zA-Z0-9_.:-]*$/)
      .optional()
      .describe("host, bridge, none or a network's name"),
    volumes: z
      .array(volume)
      .optional()
      .describe("Directories, files and named volumes: SOURCE:TARGET, SOURCE:TARGET:ro"),
    tmpfs: z
      .array(z.string().regex(/^\/[^:]*(:[^:]+)?$/))
      .optional()
      .describe("Directories in memory: TARGET or TARGET:OPTIONS"),
    ulimits: z
      .array(z.string().regex(/^[a-z]+:-?\d+(:-?\d+)?$/, "must be NAME:LIMIT or NAME:SOFT:HARD"))
      .optional()
      .describe("Resource limits, as nofile:65536 or memlock:-1:-1"),
    user: oneLine().optional().describe("User that its process runs as, as 999:999"),
    labels: z
      .record(z.string(), oneLine())
      .optional()
      .describe("Labels, besides the one by which this module knows its own"),
    capabilities: z.array(z.string()).optional().describe("Capabilities to add, as NET_ADMIN"),
    cap_drop: z.array(z.string()).optional().describe("Capabilities to drop, as ALL"),
    healthcheck: z
      .union([
        z.literal("none"),
        z.strictObject({
          test: oneLine().describe("Shell command that exits with 0 while all is well"),
          intervalMs: milliseconds("between two tests"),
          timeoutMs: milliseconds("that a test may take"),
          startPeriodMs: milliseconds("in which failures do not count yet"),
          retries: z
            .int()
            .min(0)
            .default(0)
            .describe("Failures in a row before it is unhealthy; 0: Docker's own default"),
        }),
      ])
      .optional()
      .describe("Docker's own health test, or `none` to switch the image's off"),
    restart_policy: z
      .string()
      .regex(/^(no|always|unless-stopped|on-failure(:\d+)?)$/, "must be no, always, unless-stopped or on-failure[:N]")
      .default("unless-stopped")
      .describe("When dockerd starts it again"),
    stop_timeout: z
      .int()
      .min(0)
      .optional()
      .describe("Seconds between asking it to stop and killing it; 10 by Docker's default"),
    restartedAfter: z
      .array(absolutePath())
      .default([])
      .describe("Files and directories that the running container must be younger than: it is restarted otherwise"),
    beforeStop: beforeStop(),
    ready: ready("start or restart"),
  })
  .refine(({ image, state }) => state === "absent" || image !== undefined, {
    path: ["image"],
    message: "is needed unless state is absent",
  });

export type Given = z.output<typeof params>;

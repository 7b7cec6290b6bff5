import { defineModule, exec, mapProbe, sh, Unmet } from "@keybuzz/runner";
import * as z from "zod";
import { imageRef } from "../params/image-ref.ts";
import { imageRecord } from "../probes/docker.ts";

const params = z.strictObject({
  name: imageRef().describe("Image with its tag or digest, as mariadb:11.8"),
  state: z.enum(["present", "absent"]).default("present").describe("Whether the host has it"),
  timeoutMs: z.int().positive().default(900_000).describe("Milliseconds that the pull may take"),
});

type ImageState = {
  readonly name: string;
  /** By which its registry knows it. */
  readonly digest: string;
};

/**
 * A container image on the host. An image that is there is not pulled again: a tag that moves is followed by naming
 * another tag or a digest. List it before the tasks that stop anything, so that a tag that does not exist, or a registry
 * that does not answer, is found while all still runs.
 *
 * @see https://docs.docker.com/reference/cli/docker/image/pull/
 */
export const dockerImage = defineModule({
  name: "docker_image",
  summary: "Have a container image on the host",
  params,
  id: ({ name }) => name,
  probe: ({ name }) =>
    mapProbe(imageRecord(name), (found): ImageState | null | Unmet => {
      if (found === null || found instanceof Unmet) return found;
      return { name, digest: found.digest ?? "none: built or loaded on the host" };
    }),
  desired({ name, state }, current): ImageState | null {
    if (state === "absent") return null;
    return current ?? { name, digest: name.split("@")[1] ?? "as its registry says" };
  },
  plan: ({ params: { name, state, timeoutMs } }) => [
    state === "absent"
      ? exec(sh`docker image rm -- ${name} >/dev/null`)
      : exec(sh`docker pull --quiet ${name} >/dev/null`, { timeoutMs }),
  ],
  touches: ({ name }) => [`image:${name}`],
});

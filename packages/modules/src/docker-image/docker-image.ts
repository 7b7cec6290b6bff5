import { defineModule, exec, mapProbe, sh, Unmet, unmet } from "@keybuzz/runner";
import * as z from "zod";
import { imageRef } from "../params/image-ref.ts";
import { imageRecord, isStillAsleep } from "../probes/docker.ts";

const params = z.strictObject({
  name: imageRef().describe("Image with its tag or digest, as mariadb:11.8"),
  state: z.enum(["present", "absent"]).default("present").describe("Whether the host has it"),
  timeoutMs: z.int().positive().default(900_000).describe("Milliseconds that the pull may take"),
});

type ImageState = {
  readonly state: "present" | "absent";
  /** By which its registry knows it. */
  readonly digest?: string;
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
    mapProbe(imageRecord(name), (found): ImageState | Unmet => {
      if (found instanceof Unmet) return found;
      if (found === null) return { state: "absent" };
      return { state: "present", digest: found.digest ?? "none: built or loaded on the host" };
    }),
  desired({ name, state }, current): ImageState {
    if (state === "absent") return { state };
    return { state, digest: current?.digest ?? name.split("@")[1] ?? "as its registry says" };
  },
  foresee: (_, current, touched) =>
    current === null && isStillAsleep(touched) ? unmet("what dockerd has is known once it runs") : current,
  plan: ({ params: { name, state, timeoutMs } }) => [
    state === "absent" ? exec(sh`docker image rm -- ${name} >/dev/null`) : exec(sh`docker pull ${name}`, { timeoutMs }),
  ],
  touches: ({ name }) => [`image:${name}`],
});

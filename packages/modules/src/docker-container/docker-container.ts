import {
  type Action,
  defineModule,
  equalValues,
  exec,
  known,
  type Probe,
  probeAll,
  sh,
  Unmet,
  unmet,
} from "@keybuzz/runner";
import { guardStop } from "../params/before-stop.ts";
import { waitReady } from "../params/ready.ts";
import { containerReading, type ImageRecord, imageRecord, isStillAsleep, standIns } from "../probes/docker.ts";
import { type Given, params } from "./params.ts";
import { type ContainerState, nameImage, readContainer } from "./reading.ts";
import { createAction, lastWords, removeAction, stateAction, swapAction } from "./scripts.ts";
import { specDigest, wantedSettings } from "./spec.ts";

/**
 * A container made from what is declared here. It is compared field by field with what Docker says of it, and by a label
 * that records all that it was made from; whatever can only be changed by making it anew is. The new one is made beside
 * the old one, so that a missing image or a refused option stops nothing; the old one is kept until the new one has
 * started. Volumes are never removed; data in an image's anonymous volumes stays behind with the old container's, so name
 * them in `volumes`.
 *
 * @see https://docs.docker.com/reference/cli/docker/container/create/
 */
export const dockerContainer = defineModule({
  name: "docker_container",
  summary: "Keep a Docker container as declared",
  params,
  id: ({ name }) => name,
  probe(given): Probe<ContainerState | Unmet> {
    const image: Probe<ImageRecord | null | Unmet> = given.image === undefined ? known(null) : imageRecord(given.image);
    const parts = probeAll({ reading: containerReading(given.name, given.restartedAfter), image });
    return {
      questions: parts.questions,
      parse(outputs) {
        const { reading, image: found } = parts.parse(outputs);
        if (reading instanceof Unmet) return reading;
        return found instanceof Unmet ? found : readContainer(given, reading, found);
      },
    };
  },
  desired(given, current): ContainerState {
    const here = current?.image_here ?? "none";
    if (given.state === "absent" || given.image === undefined)
      return { state: "absent", image_here: here, leftovers: [] };
    const settings = wantedSettings(given);
    return {
      state: wantedState(given.state, current?.state ?? "absent"),
      image: wantedImage(given.image, here, current?.image),
      image_here: here,
      ...settings,
      restart_policy: given.restart_policy,
      spec: specDigest(given.image, settings),
      restart_due: [],
      leftovers: [],
    };
  },
  plan({ params: given, current, wanted }) {
    const guard = guardStop(given.beforeStop, current !== null && stopsIt(current, wanted));
    const actions = [
      ...guard,
      ...(wanted === null || wanted.state === "absent" ? [remove(given)] : steps(given, current, wanted)),
    ];
    const [first = remove(given), ...rest] = actions;
    return [first, ...rest];
  },
  touches: ({ name }) => [`container:${name}`],
  foresee(given, current, touched) {
    if (current === null) return isStillAsleep(touched) ? unmet("what dockerd has is known once it runs") : current;
    if (given.image !== undefined && current.image !== undefined && touched.has(`image:${given.image}`)) {
      return unmet(`whether it was made from this very ${given.image} is known once that is pulled`);
    }
    if (current.state !== "started") return current;
    const pending = given.restartedAfter.filter((path) => touched.has(`file:${path}`));
    return { ...current, restart_due: [...new Set([...(current.restart_due ?? []), ...pending])] };
  },
});

/** Whether what is planned ends a container that runs. */
function stopsIt(current: ContainerState, wanted: ContainerState | null): boolean {
  if (["absent", "stopped"].includes(current.state)) return false;
  if (wanted === null || wanted.state === "absent" || isReplaced(current, wanted)) return true;
  const verb = verbFor(current, wanted);
  return verb === "stop" || verb === "restart";
}

function wantedState(wanted: Given["state"], now: string): string {
  if (wanted !== "present") return wanted;
  return now === "absent" ? "stopped" : now;
}

/** Where the host has no image of that name, a container that was made from it once is good as it is. */
function wantedImage(ref: string, here: string, now: string | undefined): string {
  if (here === "none" && now?.startsWith(`${ref} `)) return now;
  return nameImage(ref, here === "none" ? "to be pulled" : here);
}

function remove({ name, stop_timeout }: Given): Action {
  const { next, previous } = standIns(name);
  return removeAction([name, next, previous], stop_timeout);
}

/** Fields that can be set right without making a container anew. */
const MUTABLE = new Set(["state", "restart_policy", "restart_due", "leftovers", "image_here"]);

function steps(given: Given, current: ContainerState | null, wanted: ContainerState): readonly Action[] {
  const { name, image = "", stop_timeout, restart_policy } = given;
  const start = wanted.state === "started";
  const wait = waitReady(given.ready, lastWords(name));
  if (isReplaced(current, wanted)) {
    const creation = createAction({ name, image, settings: wantedSettings(given), spec: wanted.spec ?? "" });
    return [creation, swapAction(name, restart_policy, start, stop_timeout), ...(start ? wait : [])];
  }
  const actions: Action[] = [];
  if (current !== null && current.leftovers.length > 0) actions.push(removeAction(current.leftovers, stop_timeout));
  if (current?.restart_policy !== restart_policy) {
    actions.push(exec(sh`docker update --restart ${restart_policy} -- ${name} >/dev/null`));
  }
  const verb = verbFor(current, wanted);
  if (verb !== undefined) actions.push(stateAction(verb, name, stop_timeout));
  if (verb !== undefined && verb !== "stop") actions.push(...wait);
  return actions;
}

function isReplaced(current: ContainerState | null, wanted: ContainerState): boolean {
  if (current === null || current.state === "absent") return true;
  const fields = new Map(Object.entries(current));
  return Object.entries(wanted).some(([field, value]) => !MUTABLE.has(field) && !equalValues(fields.get(field), value));
}

function verbFor(
  current: ContainerState | null,
  wanted: ContainerState,
): Parameters<typeof stateAction>[0] | undefined {
  if (current?.state !== wanted.state) {
    if (wanted.state !== "started") return "stop";
    if (current?.state === "paused") return "unpause";
    return current?.state === "stopped" ? "start" : "restart";
  }
  return (current.restart_due ?? []).length > 0 ? "restart" : undefined;
}

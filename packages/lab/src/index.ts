export { distanceOf, setDistance } from "./distance/distance.ts";
export type { LinkQuality } from "./distance/relay.ts";
export { down } from "./down.ts";
export { LabError } from "./errors.ts";
export {
  type ExecOptions,
  exec,
  type HostProcess,
  killProcess,
  powerOff,
  powerOn,
  processes,
  replaceHost,
} from "./faults.ts";
export { labDirectory, labProcesses } from "./inspect.ts";
export { labNames } from "./lab-dir.ts";
export { CONTROLLER, type LinkEnd } from "./network/ends.ts";
export { heal, lose, partition } from "./network/partition.ts";
export type { LabProgram } from "./record.ts";
export { controllerArgv, labEnvironment, type RunOptions, run, ssh, sshArgv } from "./session.ts";
export { compareSnapshots, type SnapshotEntry, snapshot, VOLATILE_PATHS } from "./snapshot.ts";
export { checkSpec, DEFAULT_LAB, type LabHost, type LabSpec, type LabVolume } from "./spec.ts";
export { type HostState, type LabStatus, status } from "./status.ts";
export type { OnStep, StepReport } from "./steps.ts";
export { up } from "./up.ts";

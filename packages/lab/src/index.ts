export { down } from "./down.ts";
export { LabError } from "./errors.ts";
export { controllerArgv, labEnvironment, type RunOptions, run, ssh, sshArgv } from "./session.ts";
export { checkSpec, DEFAULT_LAB, type LabHost, type LabSpec, type LabVolume } from "./spec.ts";
export { type HostState, type LabStatus, labNames, status } from "./status.ts";
export type { OnStep, StepReport } from "./steps.ts";
export { up } from "./up.ts";

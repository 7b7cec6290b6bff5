export { comparePlans, type PlanDifference } from "./compare-plans.ts";
export { type Digest, makeDigest, newDigestKey } from "./digest.ts";
export { eventSchema, parseEvent, RecordedError } from "./event-schema.ts";
export { digestInventory, secretParamsOf } from "./fingerprint.ts";
export { readCommit } from "./git-commit.ts";
export { Journal, type RunStart } from "./journal.ts";
export { type HostOutcome, outcomeOfRun, type RecordedHost, type RunOutcome } from "./outcome-of-run.ts";
export { PlanGuard } from "./plan-guard.ts";
export { type FoundTask, PlanRecorder } from "./plan-recorder.ts";
export {
  findRun,
  KEPT_RUNS,
  listRuns,
  pruneRuns,
  type RunState,
  readEvents,
  readRecord,
  stateOf,
} from "./read-run.ts";
export { newRunId } from "./run-id.ts";
export type { RunRecord } from "./run-record.ts";
export { type PlannedTask, readPlan, type SavedPlan, writePlan } from "./saved-plan.ts";
export { differingNames, readSources, type Sources } from "./sources.ts";

export { type Action, type Content, type ExecAction, exec, type WaitAction, type WriteAction } from "./action.ts";
export * from "./errors.ts";
export {
  type Assessment,
  type Document,
  defineModule,
  describeIssues,
  type Module,
  type ModuleSpec,
  type Step,
  secretParam,
  type Task,
  type TaskOptions,
  type Touched,
} from "./module.ts";
export {
  type Answers,
  ask,
  askBatch,
  type Batch,
  known,
  mapProbe,
  type Output,
  type Probe,
  probeAll,
  type Question,
  type Script,
  Unmet,
  unmet,
} from "./probe.ts";
export { revealText, Secret } from "./secret.ts";
export { quoteShell, Sh, type ShHole, sh, shLines } from "./sh.ts";
export { Sql, type SqlHole, sql, sqlId, sqlite, sqlJoin } from "./sql.ts";
export { type Change, diffStates, equalValues, type State, type Value } from "./state.ts";

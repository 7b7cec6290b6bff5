export {
  type Action,
  type Content,
  type ExecAction,
  exec,
  GIVE_UP,
  type RetryAction,
  type WaitAction,
  type WriteAction,
} from "./action.ts";
export * from "./errors.ts";
export * from "./events.ts";
export {
  type Facts,
  factsProbe,
  HostFacts,
  type MountedFileSystem,
  type NetworkInterface,
  packageVersions,
} from "./facts.ts";
export type { HealthFloor, HostCount } from "./fleet/batches.ts";
export type { Gate, Gates } from "./fleet/gate.ts";
export { type ListedTask, listTasks, type TaskList } from "./fleet/listing.ts";
export type { EnsureOptions } from "./fleet/lists.ts";
export type { ConfirmRequest } from "./fleet/member.ts";
export type { BatchPlace, BatchProcedure, Rolling } from "./fleet/rolling.ts";
export type { GroupBy, SerialRules } from "./fleet/rules.ts";
export type { TaskSelection } from "./fleet/selection.ts";
export { isSelected, type TagFilter, tagged } from "./fleet/tags.ts";
export { type EnsureResult, type Host, type HostAnswer, Hosts } from "./hosts.ts";
export { InventoryBuilder } from "./inventory/builder.ts";
export {
  type ConnectionDefaults,
  type Definition,
  type Inventory,
  type InventoryGroup,
  type InventoryHost,
  type ReadInventory,
  renderSource,
  type Source,
  type Sourced,
  suggest,
  VAR_LEVELS,
  type VarLevel,
} from "./inventory/inventory.ts";
export {
  defineInventory,
  type GroupInput,
  type GroupsInput,
  type InventorySource,
  secretRef,
  type VarsInput,
} from "./inventory/module.ts";
export { nearest } from "./inventory/nearest.ts";
export { matchHosts } from "./inventory/patterns.ts";
export { isHostList, type ReadOptions, readInventory } from "./inventory/read.ts";
export { targetOf } from "./inventory/target.ts";
export { parseTsvInventory, readTsvInventory, type TsvMapping, type TsvRow } from "./inventory/tsv.ts";
export { readYamlInventory } from "./inventory/yaml.ts";
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
  type Transition,
} from "./module.ts";
export type { Overseer, Review } from "./overseer.ts";
export { inFolder, inFolderOf, PLACE_FUNCTIONS } from "./place.ts";
export { definePlaybook, type Groups, type Play, type Playbook, type PlaybookSpec, type Schemas } from "./playbook.ts";
export {
  type Answers,
  ask,
  askBatch,
  type Batch,
  type Foreseen,
  foreseen,
  known,
  mapProbe,
  type Output,
  type Probe,
  probeAll,
  type Question,
  type Script,
  type Touched,
  Unmet,
  unmet,
} from "./probe.ts";
export {
  type RehearsalReport,
  type RehearsedFault,
  type RehearsedTask,
  UnansweredError,
  type Unrehearsed,
} from "./rehearsal.ts";
export { type RehearseOptions, rehearse } from "./rehearse.ts";
export { type RetryOptions, retry } from "./retry.ts";
export { defineRole, type Role, type RoleSpec, type VarsOf } from "./role.ts";
export { type PlayOptions, play, type RunReport } from "./run.ts";
export { revealText, Secret } from "./secret.ts";
export { type AgeFile, type AgeKey, readAgeFile, recipientsOf, sealed } from "./secrets/age-file.ts";
export { type AgeOptions, openSealedFile } from "./secrets/age-provider.ts";
export {
  lockForNew,
  type NewLock,
  type OpenedFile,
  openForEditing,
  type Rotation,
  rotate,
  writeSealed,
} from "./secrets/age-store.ts";
export type { ReadVaulted } from "./secrets/ansible-vault.ts";
export type { AskSecret } from "./secrets/provider.ts";
export { SecretRef, SecretsError } from "./secrets/reference.ts";
export { type ResolverOptions, type ResolveSecret, refsIn, secretResolver } from "./secrets/resolve.ts";
export { parseVaultId, type VaultPassword, vaultReader } from "./secrets/vault-passwords.ts";
export { quoteShell, Sh, type ShHole, sh, shLines } from "./sh.ts";
export { Sql, type SqlHole, sql, sqlId, sqlite, sqlJoin, sqlWords } from "./sql.ts";
export { type Change, diffStates, equalValues, type State, type Value } from "./state.ts";
export { unifiedDiff } from "./text-diff.ts";
export { askProgram } from "./transport/ask-program.ts";
export { makeConnect, type SshOptions } from "./transport/connect.ts";
export { runOnTerminal } from "./transport/program.ts";
export type { Connect, Connection, RemoteProcess, Target } from "./transport/transport.ts";

import Apply from "./apply.ts";
import Check from "./check.ts";
import Completion from "./completion.ts";
import Console from "./console.ts";
import Do from "./do.ts";
import InventoryCommand from "./inventory.ts";
import LabDown from "./lab/down.ts";
import LabRun from "./lab/run.ts";
import LabSsh from "./lab/ssh.ts";
import LabStatus from "./lab/status.ts";
import LabUp from "./lab/up.ts";
import ModuleList from "./module/list.ts";
import ModuleShow from "./module/show.ts";
import New from "./new.ts";
import Ping from "./ping.ts";
import Plan from "./plan/make.ts";
import PlanShow from "./plan/show.ts";
import Play from "./play.ts";
import Resume from "./resume.ts";
import Runs from "./runs/list.ts";
import RunsShow from "./runs/show.ts";
import SecretsCreate from "./secrets/create.ts";
import SecretsEdit from "./secrets/edit.ts";
import SecretsEncrypt from "./secrets/encrypt.ts";
import SecretsRotateKey from "./secrets/rotate-key.ts";
import SecretsView from "./secrets/view.ts";
import Vars from "./vars.ts";
import Verify from "./verify.ts";

/** Every command by its name. Each imports what it works with only when it runs: `kb --version` pays for none of it. */
export default {
  apply: Apply,
  check: Check,
  completion: Completion,
  console: Console,
  do: Do,
  inventory: InventoryCommand,
  "lab:down": LabDown,
  "lab:run": LabRun,
  "lab:ssh": LabSsh,
  "lab:status": LabStatus,
  "lab:up": LabUp,
  "module:list": ModuleList,
  "module:show": ModuleShow,
  new: New,
  ping: Ping,
  plan: Plan,
  "plan:show": PlanShow,
  play: Play,
  resume: Resume,
  runs: Runs,
  "runs:show": RunsShow,
  "secrets:create": SecretsCreate,
  "secrets:edit": SecretsEdit,
  "secrets:encrypt": SecretsEncrypt,
  "secrets:rotate-key": SecretsRotateKey,
  "secrets:view": SecretsView,
  vars: Vars,
  verify: Verify,
};

import { type Action, exec, inFolderOf, Secret, type Sh, type Step, sh } from "@keybuzz/runner";
import type { UserParams, UserState } from "./user.ts";

/** What makes, alters or removes a user. */
export function planUser({ params, current, wanted }: Step<UserParams, UserState>): readonly [Action, ...Action[]] {
  const { name, password } = params;
  if (wanted === null) return [exec(sh`userdel -- ${name}`)];
  const account = current === null ? createUser(params) : alterUser(params, current, wanted);
  const setPassword =
    password === undefined || current?.password === "as given"
      ? []
      : // From standard input: useradd -p would show the hash to every user of the host.
        [exec(sh`chpasswd -e`, { stdin: new Secret(`${name}:${password.reveal()}\n`) })];
  const [first, ...others] = [...account, ...setPassword];
  if (first === undefined) throw new Error(`user ${name}: nothing to do about a difference`);
  return [first, ...others];
}

function createUser(params: UserParams): readonly Action[] {
  const { name, group, system, create_home } = params;
  const flags = options(params, params.groups);
  const kind = join([system ? sh`-r` : undefined, create_home ? sh`-m` : sh`-M`]);
  const add = (primary: Sh): Sh => sh`useradd ${join([kind, flags, primary])} -- ${name}`;
  if (group !== undefined) return [exec(add(sh`-g ${group}`))];
  // useradd makes a group of the user's name, and fails where there is one.
  return [exec(sh`if getent group ${name} >/dev/null; then ${add(sh`-g ${name}`)}; else ${add(sh`-U`)}; fi`)];
}

function alterUser(params: UserParams, current: UserState, wanted: UserState): readonly Action[] {
  const { name } = params;
  const differs = (key: "uid" | "group" | "shell" | "home" | "comment"): boolean => wanted[key] !== current[key];
  const changed: Partial<UserParams> = {
    ...(differs("uid") ? { uid: params.uid } : {}),
    ...(differs("group") ? { group: params.group } : {}),
    ...(differs("shell") ? { shell: params.shell } : {}),
    ...(differs("home") ? { home: params.home } : {}),
    ...(differs("comment") ? { comment: params.comment } : {}),
  };
  const regroup = wanted.groups !== undefined && wanted.groups.join() !== current.groups?.join();
  const primary = changed.group === undefined ? undefined : sh`-g ${changed.group}`;
  const flags = join([options(changed, regroup ? wanted.groups : undefined), primary]);
  const modify = flags.text === "" ? [] : [exec(sh`usermod ${flags} -- ${name}`)];
  const home = wanted.home ?? current.home;
  const makeHome = params.create_home && home !== undefined && (current.homeExists === false || differs("home"));
  return makeHome ? [...modify, exec(makeHomeFromSkeleton(name, home))] : modify;
}

function options(params: Partial<UserParams>, groups: readonly string[] | undefined): Sh {
  const { uid, shell, home, comment } = params;
  return join([
    uid === undefined ? undefined : sh`-u ${uid}`,
    groups === undefined ? undefined : sh`-G ${groups.join(",")}`,
    shell === undefined ? undefined : sh`-s ${shell}`,
    home === undefined ? undefined : sh`-d ${home}`,
    comment === undefined ? undefined : sh`-c ${comment}`,
  ]);
}

/**
 * useradd -m does this for new users only. Nothing is done to a directory that exists, nor through a link: the new one is
 * filled from inside, where nobody else gets before it is the user's.
 */
function makeHomeFromSkeleton(name: string, home: string): Sh {
  const fill = sh`cd -P -- "$new" && kb_is "$parent/\${new#./}" || exit 1
  [ ! -d /etc/skel ] || cp -RT /etc/skel . || exit 1
  chown -R ${name}: . && chmod 0700 .`;
  return inFolderOf(
    home,
    (place) => sh`[ ! -d ${place} ] || exit 0
parent=\${PWD%/}; new=$(mktemp -d -- ${`${place}.XXXXXX`}) || exit 1; trap 'rm -rf -- "$new"' EXIT
( ${fill} ) && mv -T -- "$new" ${place} || exit 1
trap - EXIT`,
    "0755",
  );
}

function join(parts: readonly (Sh | undefined)[]): Sh {
  return parts
    .filter((part) => part !== undefined && part.text !== "")
    .reduce<Sh>((all, part) => (all.text === "" ? (part ?? all) : sh`${all} ${part ?? sh``}`), sh``);
}

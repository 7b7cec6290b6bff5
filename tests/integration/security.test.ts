import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { compareSnapshots, down, exec, snapshot, up } from "@keybuzz/lab";
import { directory, file } from "@keybuzz/modules";
import { type Action, Sh, sh, shLines } from "@keybuzz/runner";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { renderWholeWrite, WRITE_FUNCTIONS } from "../../packages/runner/src/engine/write.ts";
import { PLACE_FUNCTIONS } from "../../packages/runner/src/place.ts";
import { CANARY_SECRET, disguisesOf, leaksIn } from "../security/disguises.ts";
import { errorsOf, having, kb, play, type Ran, startKb } from "../support/kb.ts";
import { ProcessWatch } from "../support/process-watch.ts";

const LAB = "secure";
const HOST = "sec-01";
const PLAYBOOK = resolve(import.meta.dirname, "../fixtures/security.ts");
let folder: string;
let home: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "kb-secure-"));
  home = join(folder, "home");
  mkdirSync(home);
  writeFileSync(
    join(folder, "hosts.yml"),
    JSON.stringify({ all: { hosts: { [HOST]: { ansible_host: "10.7.6.11" } } } }),
  );
  writeFileSync(join(folder, "secret"), CANARY_SECRET, { mode: 0o600 });
  await down(LAB);
  await up({ name: LAB, hosts: [{ name: HOST, address: "10.7.6.11" }] }, { onStep: () => {} });
});
afterAll(async () => {
  await down(LAB);
  rmSync(folder, { recursive: true, force: true });
});

async function on(script: string, input?: string): Promise<string> {
  const { code, stdout, stderr } = await exec(LAB, HOST, ["sh", "-c", script], {
    timeoutMs: 60_000,
    ...(input === undefined ? {} : { input }),
  });
  if (code !== 0) throw new Error(`${script}: exit ${code}: ${stderr}`);
  return stdout;
}

const options = () => ({ cwd: home, env: { HOME: home, TMPDIR: home } });

function arguments_(stage: string, flags: readonly string[]): readonly string[] {
  return [PLAYBOOK, "-i", join(folder, "hosts.yml"), "-e", `stage=${stage}`, ...flags];
}

const run = (stage: string, ...flags: readonly string[]): Promise<Ran> =>
  play(LAB, arguments_(stage, flags), options());

describe("a host in bad shape", { timeout: 500_000 }, () => {
  /** Expects one error that names everything, and nothing left behind. */
  async function refuses(path: string, said: RegExp, hint: RegExp): Promise<void> {
    const ran = await run("shape", "-e", `path=${path}`, "-e", "content=new");
    expect(errorsOf(ran)).toHaveLength(1);
    const [error] = errorsOf(ran);
    expect(error).toMatchObject({
      host: HOST,
      task: `file ${path}/file`,
      where: expect.stringMatching(/security\.ts:\d+/),
    });
    expect(`${error?.message}\n${error?.detail}`).toMatch(said);
    expect(error?.hint).toMatch(hint);
    expect(ran.exitCode).toBe(1);
    expect(await on(`ls -A ${path} | grep -v '^file$' || true`)).toBe("");
  }

  it("is told with what was tried, what came back and what to try; nothing is half done", async () => {
    await on(`mkdir /srv/ro /srv/full /srv/inodes
mount -t tmpfs -o size=64k none /srv/full && echo old >/srv/full/file
mount -t tmpfs -o nr_inodes=2 none /srv/inodes && echo old >/srv/inodes/file
mount -t tmpfs none /srv/ro && echo old >/srv/ro/file && mount -o remount,ro /srv/ro`);
    await refuses("/srv/ro", /Read-only file system/, /remount,rw/);
    await refuses("/srv/inodes", /No space left on device/, /df -i/);
    const large = `content=${"x".repeat(100_000)}`;
    const ran = await run("shape", "-e", "path=/srv/full", "-e", large);
    expect(errorsOf(ran)).toMatchObject([
      { host: HOST, task: "file /srv/full/file", hint: expect.stringMatching(/df -h/) },
    ]);
    expect(await on("cat /srv/ro/file /srv/full/file /srv/inodes/file; ls -A /srv/full")).toBe("old\nold\nold\nfile\n");
  });

  it("converges when what was wrong is mended", async () => {
    await on(
      "mount -o remount,rw /srv/ro; mount -o remount,nr_inodes=9 /srv/inodes; mount -o remount,size=1m /srv/full",
    );
    for (const path of ["/srv/ro", "/srv/inodes"]) {
      expect(having(await run("shape", "-e", `path=${path}`, "-e", "content=new"), "changed")).toHaveLength(1);
    }
    expect(await on("cat /srv/ro/file /srv/inodes/file; stat -c %a /srv/ro/file")).toBe("newnew640\n");
  });

  it("is told of a root file system that went read-only, of a file that nobody may change; and converges after", async () => {
    await on("mkdir -p /srv/root && echo old >/srv/root/file && mount -o remount,bind,ro /");
    await refuses("/srv/root", /Read-only file system/, /remount,rw/);
    await on("mount -o remount,bind,rw / && mkdir -p /var/lib/docker/shape && echo old >/var/lib/docker/shape/file");
    await on("chattr +i /var/lib/docker/shape/file");
    await refuses("/var/lib/docker/shape", /Operation not permitted/, /chattr -i/);
    await on("chattr -i /var/lib/docker/shape/file");
    for (const path of ["/srv/root", "/var/lib/docker/shape"]) {
      expect(having(await run("shape", "-e", `path=${path}`, "-e", "content=new"), "changed")).toHaveLength(1);
    }
    expect(await on("cat /srv/root/file /var/lib/docker/shape/file; rm -r /var/lib/docker/shape")).toBe("newnew");
  });

  it("is worked on without /tmp, under an odd locale and mask, and with busybox for a shell", async () => {
    await on(`mount -t tmpfs -o noexec,size=4k,nr_inodes=1 none /tmp
printf 'LANG=tr_TR.UTF-8\\nLC_ALL=tr_TR.UTF-8\\n' >>/etc/environment; echo 'umask 077' >>/root/.profile; echo 'echo noise' >>/root/.bashrc`);
    await on("echo 'a = 1' >/srv/places-old; echo 'a = 1' >/srv/busy-old");
    const told = await run("places", "-e", "path=/srv/places", "--check");
    const first = await run("places", "-e", "path=/srv/places");
    expect(errorsOf(first)).toEqual([]);
    expect(having(first, "changed")).toHaveLength(7);
    expect(having(told, "changed")).toEqual(having(first, "changed"));
    expect(await on("cat /srv/places-old")).toBe("a = 2\n");
    expect(
      await on(
        "stat -c %a /srv/places /srv/places/made /srv/places/made/here /srv/places/made/file; cat /srv/places/made/umask",
      ),
    ).toBe("755\n755\n750\n644\n0022\n");
    await on(
      "umount /tmp; command -v busybox >/dev/null || apt-get -qq -y install busybox >/dev/null 2>&1; ln -sf busybox /bin/sh",
    );
    expect(having(await run("places", "-e", "path=/srv/places"), "changed")).toEqual([]);
    const again = await run("places", "-e", "path=/srv/busy");
    expect(errorsOf(again)).toEqual([]);
    expect(having(again, "changed")).toHaveLength(6);
    await on("ln -sf dash /bin/sh");
  });

  it("waits for another package manager, and then says who is in the way", async () => {
    // So that the index is known, and only the lock stands in the way.
    await on("apt-cache policy jq | grep -q 'Candidate: [0-9]' || apt-get -qq update");
    const lock = `use Fcntl; open(F, ">", "/var/lib/dpkg/lock-frontend"); my $l = pack("s s x4 l! l! i x4", F_WRLCK, 0, 0, 0, 0); fcntl(F, F_SETLK, $l) or die $!; sleep 60`;
    await on(`perl -e '${lock}' >/dev/null 2>&1 & echo $! >/run/kb-holder; sleep 0.5`);
    const ran = await run("apt", "-e", "content=6000");
    await on("kill $(cat /run/kb-holder)");
    expect(errorsOf(ran)).toMatchObject([{ host: HOST, task: "apt jq", code: "timeout" }]);
    expect(errorsOf(ran)[0]?.detail).toMatch(/lock-frontend.*held by process \d+ \(perl\)/);
    expect(having(await run("apt", "-e", "content=120000"), "changed")).toHaveLength(1);
  });
});

describe("somebody else on the host", () => {
  const functions = shLines([PLACE_FUNCTIONS, Sh.unsafe(WRITE_FUNCTIONS)]);
  const textOf = (action: Action): Sh => {
    if (action.kind === "write") return shLines([functions, renderWholeWrite(action)]);
    if (action.kind === "exec") return action.script;
    throw new Error(`no ${action.kind} here`);
  };
  const actionsOf = (task: ReturnType<typeof file>, state: Parameters<typeof task.assess>[0]): readonly Sh[] =>
    task.assess(state).actions().map(textOf);

  /** Exchanges names for links to what is root's alone, as fast as it can. */
  const ATTACK = `use strict; my ($d) = @ARGV; chdir $d or die;
symlink("/etc/kb-precious/file", "l"); symlink("/etc/kb-precious", "k");
while (1) {
  rename("x", "x1"); rename("l", "x"); rename("x", "l"); rename("x1", "x");
  rename("sub", "s1"); rename("k", "sub"); rename("sub", "k"); rename("s1", "sub");
  for my $t (grep { !/taken/ } glob(".keybuzz.* */.keybuzz.*")) { rename($t, "$t.taken") and symlink("/etc/kb-precious/file", $t); }
  unlink(glob("*.taken .*.taken")) if rand() < 0.01;
}`;
  const facts = "stat -c '%n %U %a %h' /etc/kb-precious /etc/kb-precious/*; cat /etc/kb-precious/file";

  it("leads nothing astray with links, in a directory of theirs and in one of everybody's", async () => {
    await on(
      `useradd -m mallory; mkdir -m 0755 /etc/kb-precious; (umask 077; echo precious >/etc/kb-precious/file; : >/etc/kb-precious/x)
mkdir -m 1777 /srv/sticky; install -d -o mallory /srv/hers /srv/hers/sub; cat >/usr/local/bin/attack.pl`,
      ATTACK,
    );
    const before = await on(facts);
    const present = { kind: "file", mode: "0600", owner: "root", group: "root" } as const;
    const scripts = ["/srv/hers", "/srv/sticky"].flatMap((place) => [
      ...actionsOf(file({ path: `${place}/x`, content: "new\n", owner: "mallory", mode: "0644" }), null),
      ...actionsOf(file({ path: `${place}/sub/x`, content: "new\n", owner: "mallory", mode: "0666" }), null),
      ...actionsOf(file({ path: `${place}/x`, owner: "mallory", mode: "0666" }), present),
      ...actionsOf(file({ path: `${place}/sub/x`, owner: "mallory", mode: "0666" }), present),
      ...actionsOf(file({ path: `${place}/sub/x`, state: "absent" }), present),
      ...actionsOf(directory({ path: `${place}/sub/made/new`, owner: "mallory", mode: "0777" }), null),
      ...actionsOf(directory({ path: `${place}/sub`, owner: "mallory", mode: "0777" }), {
        mode: "0700",
        owner: "root",
        group: "root",
      }),
      ...actionsOf(directory({ path: `${place}/sub/made`, state: "absent", force: true }), {
        mode: "0700",
        owner: "root",
        group: "root",
      }),
    ]);
    const loop = scripts.map(
      (script, n) => sh`( ${script}
) >/dev/null 2>&1 </dev/null && echo ${n} || echo no`,
    );
    const counts = await on(
      `umask 022
for p in /srv/hers /srv/sticky; do setpriv --reuid=mallory --regid=mallory --clear-groups perl /usr/local/bin/attack.pl $p >/dev/null 2>&1 & echo $! >>/run/kb-attackers; done
cat >/run/kb-loop; end=$(( $(date +%s) + 12 )); while [ "$(date +%s)" -lt "$end" ]; do sh /run/kb-loop; setpriv --reuid=mallory --regid=mallory --clear-groups mkdir -p /srv/hers/sub /srv/sticky/sub 2>/dev/null; done | sort | uniq -c`,
      shLines(loop).text,
    );
    expect(await on(facts)).toBe(before);
    // The attack is met, and what is not under attack at the moment is done.
    expect(counts).toMatch(/ no\n/);
    expect(counts.split("\n").length).toBeGreaterThan(6);
    const naive =
      'n=0; while [ $n -lt 3000 ] && [ "$(stat -c %U /etc/kb-precious/file)" = root ]; do chown mallory /srv/hers/x 2>/dev/null; n=$((n+1)); done; stat -c %U /etc/kb-precious/file';
    expect(await on(naive), "the attack is fast enough to be met").toBe("mallory\n");
    await on("kill $(cat /run/kb-attackers); rm -rf /srv/hers /srv/sticky");
  });
});

describe("a secret", { timeout: 500_000 }, () => {
  const INTENDED = /^\/(?:srv\/secrets\/(?:key|conf)|etc\/shadow-?)$/;
  const flags = (path = "/srv/secrets") => ["-e", `path=${path}`, "-e", `secretFile=${join(folder, "secret")}`];

  /** Files of the host's disk and memory file systems that hold the secret in any form. */
  async function filesHolding(): Promise<readonly string[]> {
    const text = await on(
      "grep -rlaF -f - --exclude-dir=proc --exclude-dir=sys / 2>/dev/null | cat",
      `${disguisesOf(CANARY_SECRET).join("\n")}\n`,
    );
    return text.split("\n").filter((path) => path !== "" && !INTENDED.test(path));
  }

  it("is nowhere but where it belongs, whatever comes of a task", async () => {
    // Says what a server says of a statement that it cannot read: a part of it.
    await on(
      "cat >/usr/local/bin/mariadb; chmod 0755 /usr/local/bin/mariadb",
      `#!/bin/sh
sleep 0.2; in=$(cat)
case $in in *kb-answer*) printf -- '-- kb-answer\\n-- kb-done\\n' ;;
*) printf "ERROR 1064 (42000) at line 2: You have an error in your SQL syntax near '%s' at line 1\\n" "$in" >&2; exit 1 ;; esac
`,
    );
    const watch = new ProcessWatch();
    const outputs = ["--output", `junit=${join(home, "junit.xml")}`, "--output", `github=${join(home, "github.txt")}`];
    const told: Ran[] = [];
    told.push(await kb(LAB, ["play", ...arguments_("secrets", [...flags(), "--check", "--diff", "-v"])], options()));
    const killed = startKb(LAB, ["play", ...arguments_("secrets", flags()), "--json"], options());
    await killed.told("template");
    killed.child.kill("SIGKILL");
    told.push(await killed.done);
    await on("until flock -w 30 -E 9 /run/lock/keybuzz.lock true; do sleep 0.2; done");
    told.push(await run("secrets", ...flags(), "--diff", "-v"));
    expect(errorsOf(told.at(-1) ?? told[0] ?? ({ events: [] } as never))).toEqual([]);
    await on("rm /srv/secrets/key /srv/secrets/conf");
    told.push(await kb(LAB, ["play", ...arguments_("secrets", [...flags(), "--diff", "-v", ...outputs])], options()));
    for (const failure of ["validation", "wait", "user", "server"]) {
      const failed = await run("secrets-fail", ...flags(), "-e", `content=${failure}`, "-v", "--diff");
      expect([failure, errorsOf(failed).length]).toEqual([failure, 1]);
      told.push(failed);
    }
    watch.stop();
    for (const { stdout, stderr } of told) expect([...leaksIn(stdout), ...leaksIn(stderr)]).toEqual([]);
    expect(told[0]?.stdout).toContain("secret");
    expect(disguisesOf(CANARY_SECRET).flatMap((form) => watch.holding(form))).toEqual([]);
    expect(watch.holding("--defaults-file=/dev/fd/4")).not.toEqual([]);
  });

  it("is in no file of the host but its own, nor in its journal", async () => {
    expect(await on("cat /srv/secrets/key")).toBe(`${CANARY_SECRET}\n`);
    expect(await filesHolding()).toEqual([]);
    expect(leaksIn(await on("journalctl --no-pager -q"))).toEqual([]);
    await on("cp /srv/secrets/key /root/found-if-it-were-there");
    expect(await filesHolding()).toEqual(["/root/found-if-it-were-there"]);
  });

  it("is in no file of the controller, reports and records of runs among them", () => {
    const files = readdirSync(home, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    expect(files.some((path) => path.endsWith("junit.xml"))).toBe(true);
    expect(files.length).toBeGreaterThan(3);
    expect(files.flatMap((path) => leaksIn(readFileSync(path, "utf8")).map(() => path))).toEqual([]);
  });

  it("leaves nothing of its ways behind", async () => {
    const left = snapshot(LAB, HOST).filter(({ path }) => path.includes(".keybuzz.") && !path.includes(".taken"));
    expect(left).toEqual([]);
    const before = snapshot(LAB, HOST);
    expect(having(await run("secrets", ...flags(), "--check"), "changed")).toEqual([]);
    expect(compareSnapshots(before, snapshot(LAB, HOST))).toEqual([]);
  });
});

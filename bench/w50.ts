import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { controllerArgv, down, type LabHost, labEnvironment, setDistance, sshArgv, up } from "@keybuzz/lab";
import { $ } from "zx";

/**
 * The peers' workload W50 on the lab's hosts, in one run: `kb`, the plain shell script (the practical floor) and
 * Ansible with pipelining from Debian's ansible-core, at several distances. Prints seconds and ratios as a table.
 *
 *   npm run bench                    all distances (about 20 minutes, nearly all of it Ansible's)
 *   npm run bench -- --rtt 0,20 --runs 5 --only converged --without ansible
 */
const LAB = "bench";
const HERE = import.meta.dirname;
const HOSTS: readonly LabHost[] = Array.from({ length: 5 }, (_, index) => ({
  name: `w50-0${index + 1}`,
  address: `10.9.0.${11 + index}`,
}));

type Kind = "converged" | "first";

interface Contestant {
  readonly name: string;
  run(kind: Kind): Promise<{ readonly seconds: number; readonly told: string }>;
  /** What its output has to say for the run to count. */
  readonly expect: Readonly<Record<Kind, RegExp>>;
}

const option = (name: string): string | undefined => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
};
const distances = (option("rtt") ?? "0,10,50").split(",").map(Number);
const runs = Number(option("runs") ?? 3);
const without = (option("without") ?? "").split(",");
const kinds = (option("only") ?? "first,converged")
  .split(",")
  .filter((kind): kind is Kind => /^(first|converged)$/.test(kind));
const folder = mkdtempSync(join(tmpdir(), "keybuzz-bench-"));

function inLab(argv: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const [command = "", ...args] = controllerArgv(LAB, argv);
  return $({
    env: { ...process.env, ...labEnvironment(LAB), ...env },
    quiet: true,
    nothrow: true,
    timeout: "15m",
  })`${command} ${args}`;
}

async function timed(argv: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<{ seconds: number; told: string }> {
  const started = performance.now();
  const result = await inLab(argv, env);
  return { seconds: (performance.now() - started) / 1000, told: result.stdout + result.stderr };
}

async function onHosts(script: string): Promise<void> {
  const text = readFileSync(join(HERE, script), "utf8");
  await Promise.all(HOSTS.map(({ address }) => ssh(address, text)));
}

async function ssh(address: string, script: string): Promise<void> {
  const [command = "", ...args] = controllerArgv(LAB, sshArgv(LAB, address, ["sh", "-s"]));
  await $({ input: script, quiet: true, timeout: "2m" })`${command} ${args}`;
}

function contestants(): readonly Contestant[] {
  const { KB_SSH_KEY = "", KB_KNOWN_HOSTS = "" } = labEnvironment(LAB);
  const yml = join(folder, "hosts.yml");
  writeFileSync(
    yml,
    `all:\n  hosts:\n${HOSTS.map(({ name, address }) => `    ${name}: { ansible_host: ${address} }`).join("\n")}\n`,
  );
  const ini = join(folder, "hosts.ini");
  writeFileSync(
    ini,
    `[all]\n${HOSTS.map(({ name, address }) => `${name} ansible_host=${address} ansible_user=root`).join("\n")}\n`,
  );
  const config = join(folder, "ssh_config");
  writeFileSync(config, `Host *\n  IdentityFile ${KB_SSH_KEY}\n  UserKnownHostsFile ${KB_KNOWN_HOSTS}\n`);
  const wrapper = join(folder, "ssh");
  writeFileSync(wrapper, `#!/bin/sh\nexec /usr/bin/ssh -F ${config} "$@"\n`, { mode: 0o755 });
  const peers = join(HERE, "peers");
  const ansible = {
    ANSIBLE_CONFIG: join(peers, "ansible/ansible.cfg"),
    ANSIBLE_PRIVATE_KEY_FILE: KB_SSH_KEY,
    ANSIBLE_SSH_COMMON_ARGS: `-F ${config}`,
    ANSIBLE_SSH_CONTROL_PATH_DIR: join(folder, "cp"),
  };
  const shell = {
    PATH: `${folder}:${process.env["PATH"]}`,
    CM_DIR: folder,
    HOSTS: HOSTS.map(({ address }) => `root@${address}`).join(" "),
  };
  const all: readonly Contestant[] = [
    {
      name: "kb",
      run: () => timed([join(HERE, "../kb"), "play", join(HERE, "w50/w50.ts"), "-i", yml]),
      expect: { converged: /(\n\S+ +50 +0 +0 +0 +0){5}/, first: /(\n\S+ +\d+ +[1-9]\d* +0 +0 +0){5}/ },
    },
    {
      name: "shell script",
      run: () => timed([join(peers, "shell/run.sh")], shell),
      expect: { converged: /(ok=50 changed=0\s*){5}/, first: /(ok=\d+ changed=\d+\s*){5}/ },
    },
    {
      name: "Ansible, pipelining",
      run: () => timed(["ansible-playbook", "-i", ini, join(peers, "ansible/w50.yml")], ansible),
      expect: { converged: /([^\n]* ok=50 +changed=0 [^\n]*\n){5}/, first: /([^\n]* ok=50 [^\n]*failed=0[^\n]*\n){5}/ },
    },
  ];
  return all.filter(({ name }) => !without.some((word) => word !== "" && name.toLowerCase().includes(word)));
}

/** A master that stays would spare the next run its handshake. */
async function closeMasters(): Promise<void> {
  for (const { address } of HOSTS) {
    for (const path of [join(folder, "cm-%C"), join(folder, "cp/%C")]) {
      await inLab(["ssh", "-o", `ControlPath=${path}`, "-O", "exit", `root@${address}`]);
    }
  }
}

async function measure(contestant: Contestant, kind: Kind): Promise<number> {
  const seconds: number[] = [];
  // Ansible's minutes vary by a few per cent; once is enough of them.
  const times = contestant.name.startsWith("Ansible") ? 1 : runs;
  for (let count = 0; count < times; count += 1) {
    await closeMasters();
    if (kind === "first") await onHosts("reset-host.sh");
    const run = await contestant.run(kind);
    if (!contestant.expect[kind].test(run.told)) {
      throw new Error(`${contestant.name}, ${kind}: the run does not count, it said:\n${run.told.slice(-2000)}`);
    }
    seconds.push(run.seconds);
  }
  return seconds.sort((a, b) => a - b)[Math.floor(seconds.length / 2)] ?? Number.NaN;
}

async function prepare(): Promise<void> {
  if (
    (await $({ nothrow: true, quiet: true })`ansible-doc -t module -l ansible.posix | grep -q sysctl`).exitCode !== 0 &&
    !without.includes("ansible")
  ) {
    console.log(
      "installing Debian's ansible, which brings ansible-core and the collection ansible.posix, for the comparison ...",
    );
    await $({ quiet: true })`apt-get install -y --no-install-recommends ansible`;
  }
  await up({ name: LAB, hosts: HOSTS }, { onStep: ({ text }) => console.log(text) });
  await Promise.all(
    HOSTS.map(({ address }) => ssh(address, readFileSync(join(HERE, "peers/prepare-host.sh"), "utf8"))),
  );
  await Promise.all(HOSTS.map(({ address }) => ssh(address, "rm -f /etc/ansible-probe; python3 -c 'import apt'")));
}

try {
  await prepare();
  const list = contestants();
  // What is converged is measured on hosts that are.
  if (!kinds.includes("first")) await list[0]?.run("first");
  console.log(
    `\n| RTT ms | run | ${list.map(({ name }) => `${name}, s`).join(" | ")} | ${list
      .slice(1)
      .map(({ name }) => `${name} / kb`)
      .join(" | ")} |`,
  );
  console.log(
    `|---|---|${list.map(() => "---|").join("")}${list
      .slice(1)
      .map(() => "---|")
      .join("")}`,
  );
  for (const rttMs of distances) {
    await setDistance(LAB, { rttMs });
    await sleep(500);
    for (const kind of kinds) {
      const seconds = [];
      for (const contestant of list) seconds.push(await measure(contestant, kind));
      const [ours = Number.NaN, ...others] = seconds;
      const cells = [...seconds.map((value) => value.toFixed(2)), ...others.map((value) => (value / ours).toFixed(1))];
      console.log(`| ${rttMs} | ${kind} | ${cells.join(" | ")} |`);
    }
  }
} finally {
  await down(LAB);
  rmSync(folder, { recursive: true, force: true });
}

import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  CONTROLLER,
  compareSnapshots,
  controllerArgv,
  distanceOf,
  down,
  exec,
  heal,
  killProcess,
  type LabSpec,
  labDirectory,
  labProcesses,
  partition,
  powerOff,
  powerOn,
  processes,
  replaceHost,
  run,
  setDistance,
  snapshot,
  sshArgv,
  status,
  up,
} from "@keybuzz/lab";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const one: LabSpec = {
  name: "labtest1",
  hosts: [
    { name: "db-01", address: "10.0.0.11", volumes: [{ device: "/dev/sdb", sizeMib: 512 }] },
    { name: "db-02", address: "10.0.0.12", aliases: ["second"] },
  ],
};
const two: LabSpec = { name: "labtest2", hosts: [{ name: "db-01", address: "10.0.0.11" }] };

/** Run a command in a host through its sshd, as a person would. */
function overSsh(lab: string, login: string, command: string): string {
  const [file = "", ...args] = controllerArgv(lab, sshArgv(lab, login, [command]));
  return execFileSync(file, args, { encoding: "utf8", timeout: 30_000, stdio: ["ignore", "pipe", "pipe"] }).trim();
}

/** Tells one boot of a host from the next. */
const BOOTED_AT = "systemctl show -P UserspaceTimestampMonotonic";

async function texts(spec: LabSpec): Promise<readonly string[]> {
  const steps: string[] = [];
  await up(spec, { onStep: ({ text }) => steps.push(text) });
  return steps;
}

async function states(lab: string): Promise<readonly string[]> {
  return (await status(lab)).hosts.map(({ name, state }) => `${name} ${state}`);
}

async function answersPing(host: string, address: string): Promise<boolean> {
  return (await exec(one.name, host, ["ping", "-c", "1", "-W", "1", address])).code === 0;
}

/** All that the kernel still holds of a lab. */
function remains(lab: string): readonly string[] {
  const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  const loops = execFileSync("losetup", ["--list", "--noheadings", "--output", "BACK-FILE"], { encoding: "utf8" });
  const dir = `${labDirectory(lab)}/`;
  return [
    ...(existsSync("/run/netns") ? readdirSync("/run/netns") : []).filter((name) => name.includes(`kblab-${lab}`)),
    ...mounts.filter((line) => line.includes(dir)),
    ...loops.split("\n").filter((line) => line.includes(dir)),
    ...["/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd"]
      .map((mount) => join(mount, "kblab", lab))
      .filter((group) => existsSync(group)),
    ...labProcesses(lab).map((pid) => `process ${pid}`),
    ...(existsSync(dir) ? [dir] : []),
  ];
}

beforeAll(async () => {
  await down(one.name);
  await down(two.name);
  await up(one);
});

afterAll(async () => {
  await down(one.name);
  await down(two.name);
});

describe("a lab", () => {
  it("boots real hosts that answer on SSH, with the keys that it says", async () => {
    expect(await states(one.name)).toEqual(["db-01 reachable", "db-02 reachable"]);
    expect(overSsh(one.name, "db-01", "hostname; . /etc/os-release; echo $ID $VERSION_ID")).toBe("db-01\ndebian 13");
    expect(overSsh(one.name, "second", "systemctl is-system-running --wait")).toBe("running");
  });

  it("has users that become root with and without a password", () => {
    expect(overSsh(one.name, "admin@db-01", "sudo -n id -u")).toBe("0");
    expect(() => overSsh(one.name, "deploy@db-01", "sudo -n id -u")).toThrow(/password is required/);
    const password = readFileSync(join(labDirectory(one.name), "deploy-password"), "utf8");
    const [file = "", ...args] = controllerArgv(one.name, sshArgv(one.name, "deploy@db-01", ["sudo -S -p '' id -u"]));
    const output = execFileSync(file, args, { encoding: "utf8", input: `${password}\n`, timeout: 30_000 });
    expect(output.trim()).toBe("0");
  });

  it("has bare hosts, and a network without a way out", () => {
    expect(overSsh(one.name, "db-01", "command -v docker mariadbd haproxy || echo none")).toBe("none");
    expect(overSsh(one.name, "db-01", "ufw status")).toBe("Status: inactive");
    expect(overSsh(one.name, "db-01", "ip route | grep -c default || true")).toBe("0");
    const routes = controllerArgv(one.name, ["ip", "route", "show", "default"]);
    expect(execFileSync(routes[0] ?? "", routes.slice(1), { encoding: "utf8" })).toBe("");
  });

  it("installs packages from the lab's own mirror", () => {
    overSsh(one.name, "db-01", "DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends jq");
    expect(overSsh(one.name, "db-01", "echo '{\"a\":1}' | jq .a")).toBe("1");
  });

  it("has volumes that take a file system, which is mounted again after a reboot", async () => {
    const before = overSsh(one.name, "db-01", BOOTED_AT);
    overSsh(
      one.name,
      "db-01",
      "mkfs.xfs -q /dev/sdb && mkdir /data && echo '/dev/sdb /data xfs defaults 0 0' >> /etc/fstab && mount /data && " +
        "echo kept > /data/file && sync && systemd-run -q --on-active=1 systemctl reboot",
    );
    await expect
      .poll(() => tryOverSsh(BOOTED_AT), { timeout: 30_000, interval: 500 })
      .not.toSatisfy((answer: string) => answer === "" || answer === before);
    expect(overSsh(one.name, "db-01", "findmnt -n -o FSTYPE /data; cat /data/file")).toBe("xfs\nkept");
  });

  it("is already up the second time, and says so", async () => {
    expect(await texts(one)).toEqual(["lab labtest1 is up already: 2 hosts"]);
  });

  it("refuses a spec that would move or drop a host", async () => {
    await expect(up({ ...one, hosts: one.hosts.slice(0, 1) })).rejects.toThrow(/db-02 of lab labtest1 is not in this/);
  });

  it("runs commands in the controller, with the lab's keys in their environment", async () => {
    const check = 'test "$KB_LAB" = labtest1 && test -r "$KB_SSH_KEY" && grep -q db-02 "$KB_KNOWN_HOSTS" && exit 7';
    expect(await run(one.name, ["sh", "-c", check])).toBe(7);
  });
});

function tryOverSsh(command: string): string {
  try {
    return overSsh(one.name, "db-01", command);
  } catch {
    return "";
  }
}

describe("faults", () => {
  it("kills processes, sees processes", async () => {
    expect(await killProcess(one.name, "db-01", "cron")).toBe(1);
    const init = (await processes(one.name, "db-01")).find(({ pid }) => pid === 1);
    expect(init?.command).toContain("systemd");
  });

  it("parts hosts and joins them again", async () => {
    expect(await answersPing("db-01", "10.0.0.12")).toBe(true);
    await partition(one.name, "db-01", "db-02");
    expect(await answersPing("db-01", "10.0.0.12")).toBe(false);
    expect(await answersPing("db-01", "10.0.0.1")).toBe(true);
    await heal(one.name, "db-01", "db-02");
    expect(await answersPing("db-01", "10.0.0.12")).toBe(true);
  });

  it("holds the controller at a distance, changes it, and takes it away", async () => {
    for (const rttMs of [20, 60, 0]) {
      await setDistance(one.name, { rttMs });
      expect(await distanceOf(one.name)).toEqual({ rttMs });
      const { stdout } = await exec(one.name, "db-01", ["ping", "-c", "5", "-i", "0.2", "10.0.0.1"]);
      const fastest = Number(/= ([\d.]+)\//.exec(stdout)?.[1]);
      expect(fastest).toBeGreaterThanOrEqual(rttMs - 1.5);
      expect(fastest).toBeLessThan(rttMs + 8);
    }
    await setDistance(one.name, { rttMs: 0, cut: true });
    expect(await answersPing("db-01", "10.0.0.1")).toBe(false);
    await setDistance(one.name, { rttMs: 0 });
    await partition(one.name, CONTROLLER, "db-01");
    expect(await answersPing("db-01", "10.0.0.1")).toBe(false);
    await heal(one.name);
    expect(await answersPing("db-01", "10.0.0.1")).toBe(true);
  });

  it("sees what changed on a host's disk, and nothing where people only looked", async () => {
    const before = snapshot(one.name, "db-02");
    for (const login of ["root@db-02", "admin@db-02"]) {
      overSsh(
        one.name,
        login,
        "sudo -n true; dpkg-query -W >/dev/null; apt-cache policy jq; systemctl show cron; stat /",
      );
    }
    expect(compareSnapshots(before, snapshot(one.name, "db-02"))).toEqual([]);
    overSsh(one.name, "db-02", "echo x > /etc/new; rm /etc/debian_version; chmod 600 /etc/hostname");
    expect(compareSnapshots(before, snapshot(one.name, "db-02"))).toEqual([
      "~ /etc mtimeMs",
      "+ /etc/debian_version",
      "~ /etc/hostname mode",
      "+ /etc/new",
    ]);
  });

  it("cuts the power of a host and puts a new one in its place", async () => {
    const key = () => readFileSync(join(labDirectory(one.name), "known_hosts"), "utf8");
    const known = key();
    await powerOff(one.name, "db-02");
    expect(await states(one.name)).toEqual(["db-01 reachable", "db-02 stopped"]);
    await powerOn(one.name, "db-02");
    expect(overSsh(one.name, "db-02", "cat /etc/new")).toBe("x");
    expect(key()).toBe(known);
    await replaceHost(one.name, "db-02");
    expect(overSsh(one.name, "db-02", "test -e /etc/new || echo bare")).toBe("bare");
    expect(key()).not.toBe(known);
  });
});

describe("two labs", () => {
  it("have the same addresses at once and do not meet", async () => {
    await up(two);
    overSsh(two.name, "db-01", "touch /root/of-two");
    expect(overSsh(one.name, "db-01", "ls /root")).toBe("");
    expect(overSsh(two.name, "db-01", "ping -c 1 -W 1 10.0.0.12 >/dev/null || echo alone")).toBe("alone");
    await down(two.name);
    expect(remains(two.name)).toEqual([]);
    expect(await states(one.name)).toEqual(["db-01 reachable", "db-02 reachable"]);
  });
});

describe("after a crash", () => {
  it("boots again what was killed, with its disks and keys", async () => {
    const known = readFileSync(join(labDirectory(one.name), "known_hosts"), "utf8");
    overSsh(one.name, "db-01", "echo kept > /root/file && sync");
    for (const pid of labProcesses(one.name)) kill(pid);
    await expect.poll(() => labProcesses(one.name)).toEqual([]);
    await up(one);
    expect(overSsh(one.name, "db-01", "cat /root/file")).toBe("kept");
    expect(readFileSync(join(labDirectory(one.name), "known_hosts"), "utf8")).toBe(known);
  });

  it("builds the network again when the namespaces are gone", async () => {
    for (const name of readdirSync("/run/netns").filter((name) => name.startsWith("kblab-labtest1"))) {
      execFileSync("ip", ["netns", "delete", name]);
    }
    await up(one);
    expect(await states(one.name)).toEqual(["db-01 reachable", "db-02 reachable"]);
  });

  it("makes files anew that were left half written", async () => {
    await powerOff(one.name, "db-02");
    rmSync(join(labDirectory(one.name), "machines/db-02/host.json"));
    writeFileSync(join(labDirectory(one.name), "lab.json"), '{"spec":');
    await up(one);
    expect(await states(one.name)).toEqual(["db-01 reachable", "db-02 reachable"]);
  });

  it("goes down and leaves nothing, also when much of it was gone already", async () => {
    for (const pid of labProcesses(one.name)) kill(pid);
    rmSync(join(labDirectory(one.name), "lab.json"));
    await down(one.name);
    expect(remains(one.name)).toEqual([]);
    await down(one.name);
  });
});

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It went with one that was killed before it.
  }
}

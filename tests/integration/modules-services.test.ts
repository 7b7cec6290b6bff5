import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compareSnapshots, down, exec, snapshot, up } from "@keybuzz/lab";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { errorsOf, having, kb, play, type Ran, startKb } from "../support/kb.ts";

const LAB = "modsvc";
const HOST = "svc-01";
const PLAYBOOK = "tests/fixtures/modules-services.ts";
const REPOSITORY = "http://10.7.4.1:5080/kb-hello/";
let folder: string;
let given: readonly string[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "kb-modsvc-"));
  const inventory = join(folder, "hosts.yml");
  const keyFile = join(folder, "key.asc");
  writeFileSync(inventory, JSON.stringify({ all: { hosts: { [HOST]: { ansible_host: "10.7.4.11" } } } }));
  await down(LAB);
  await up({ name: LAB, hosts: [{ name: HOST, address: "10.7.4.11" }] }, { onStep: () => {} });
  writeFileSync(keyFile, await on(`curl -fsS ${REPOSITORY}key.asc`));
  given = [PLAYBOOK, "-i", inventory, "-e", `repository=${REPOSITORY}`, "-e", `keyFile=${keyFile}`];
});
afterAll(async () => {
  await down(LAB);
  rmSync(folder, { recursive: true, force: true });
});

async function on(script: string): Promise<string> {
  const { code, stdout, stderr } = await exec(LAB, HOST, ["sh", "-c", script], { timeoutMs: 120_000 });
  if (code !== 0) throw new Error(`${script}: exit ${code}: ${stderr}`);
  return stdout;
}

async function run(...flags: readonly string[]): Promise<Ran> {
  const ran = await play(LAB, [...given, ...flags]);
  expect(errorsOf(ran)).toEqual([]);
  expect(ran.exitCode, ran.stderr).toBe(0);
  return ran;
}

const changed = (ran: Ran): readonly string[] => having(ran, "changed").map((name) => name.replace(`${HOST}: `, ""));

describe("packages, units, the firewall and containers", () => {
  it("tell in check mode what the run then changes, and touch nothing", async () => {
    const before = snapshot(LAB, HOST);
    const check = await run("--check", "--diff");
    expect(compareSnapshots(before, snapshot(LAB, HOST))).toEqual([]);
    expect(having(check, "unknown")).toEqual([]);
    const first = await run();
    expect(changed(first)).toEqual(changed(check));
    expect(changed(first)).toHaveLength(18);
  });

  it("change nothing more, in one round trip, and touch nothing to find out", async () => {
    const again = await run();
    expect(changed(again)).toEqual([]);
    expect(again.recap).toMatchObject([{ roundTrips: 1 }]);
    const exclude = ["/run", "/tmp", "/var/log", "/var/lib/systemd", "/var/lib/wtmpdb"];
    const before = snapshot(LAB, HOST, { exclude });
    expect(changed(await run("--check", "-e", "helloState=latest"))).toEqual(["apt kb-hello"]);
    expect(compareSnapshots(before, snapshot(LAB, HOST, { exclude }))).toEqual([]);
  });

  it("have made what they said", async () => {
    expect(await on("dpkg -s kb-hello | grep ^Version")).toBe("Version: 1.0\n");
    expect(
      await on("systemctl is-active kb-sleep; systemctl is-enabled kb-sleep; systemctl is-enabled cron || true"),
    ).toBe("active\nenabled\nmasked\n");
    expect(await on("prlimit -n -o SOFT --noheadings -p $(systemctl show -p MainPID --value kb-sleep)")).toBe("4096\n");
    const rules = await on("ufw status verbose");
    expect(rules).toContain("Status: active");
    expect(rules).toMatch(/22\/tcp +ALLOW IN +Anywhere +# ssh/);
    expect(rules).toMatch(/22\/tcp \(v6\) +ALLOW IN/);
    expect(rules).toMatch(/4444,4567,4568\/tcp +ALLOW IN +10\.7\.4\.0\/24 +# galera/);
    expect(await on("docker info --format '{{.LoggingDriver}} {{.LiveRestoreEnabled}}'")).toBe("local true\n");
    expect(
      await on("docker exec box sh -c 'id -u; ulimit -n; echo \"$PLAIN $TOKEN\"; findmnt -no SIZE /scratch'"),
    ).toBe("999\n1024\nit's $plain services-secret-1\n   1M\n");
    expect(await on("docker ps --format '{{.Names}}'")).toBe("box\n");
  });

  it("show no secret, on the terminal, in events, in the journal or in docker's labels", async () => {
    const shown = await kb(LAB, ["play", ...given, "--check", "--diff", "-v", "-e", "token=services-secret-2"]);
    const ran = await run("--diff", "-v", "-e", "token=services-secret-2");
    expect(changed(ran)).toEqual(["docker_container box"]);
    const labels = await on("docker inspect --format '{{json .Config.Labels}}' box; journalctl --no-pager -q");
    for (const text of [shown.stdout, shown.stderr, ran.stdout, ran.stderr, labels]) {
      expect(text.replaceAll("token=services-secret-2", "")).not.toContain("services-secret");
    }
    await run();
  });

  it("are hosts of their own by docker exec, on the one connection of their host", async () => {
    const hosts = join(folder, "containers.yml");
    const box = { ansible_connection: "docker", kb_docker_host: HOST };
    writeFileSync(hosts, JSON.stringify({ all: { hosts: { [HOST]: { ansible_host: "10.7.4.11" }, box } } }));
    const cursor = (await on("journalctl -q -n 0 --show-cursor")).replace("-- cursor: ", "").trim();
    const ran = await play(LAB, ["tests/fixtures/files.ts", "-i", hosts, "-e", "folder=/tmp/kb-box", "-e", "files=3"]);
    expect(errorsOf(ran)).toEqual([]);
    expect(ran.recap.map(({ host, changed }) => [host, changed])).toEqual([
      [HOST, 6],
      ["box", 6],
    ]);
    expect(await on("docker exec box cat /tmp/kb-box/f1")).toBe("1 text\n");
    const log = await on(`journalctl -q --no-pager --after-cursor='${cursor}'`);
    expect(log.match(/Accepted publickey/g)).toHaveLength(1);
    await on("rm -r /tmp/kb-box; docker exec -u root box rm -r /tmp/kb-box");
  });

  it("follow a package that has a newer version, and go back only where told", async () => {
    const check = await run("--check", "-e", "helloState=latest");
    expect(changed(await run("-e", "helloState=latest"))).toEqual(changed(check));
    expect(changed(check)).toEqual(["apt kb-hello"]);
    expect(await on("dpkg -s kb-hello | grep ^Version")).toBe("Version: 1.1\n");
    const [refused] = errorsOf(await play(LAB, given));
    expect(refused?.detail).toContain("downgrade");
    await on("apt-get purge -y -q kb-hello");
    await run();
  });

  it.each<[string, readonly string[]]>([
    ["apt-get purge -y -q jq", ["apt jq, ufw"]],
    ["rm /etc/apt/sources.list.d/kb-hello.sources", ["apt_repository kb-hello"]],
    [
      "sed -i 's/^URIs:.*/URIs: http:..elsewhere/' /etc/apt/sources.list.d/kb-hello.sources",
      ["apt_repository kb-hello"],
    ],
    ["echo x >>/etc/kb-sleep.conf", ["file /etc/kb-sleep.conf", "service kb-sleep"]],
    ["touch /etc/kb-sleep.reload", ["service kb-sleep"]],
    [
      "echo Nice=3 >>/etc/systemd/system/kb-sleep.service.d/limits.conf",
      ["service kb-sleep", "systemd_unit kb-sleep.service", "systemd_unit kb-sleep.service.d/limits.conf"],
    ],
    ["systemctl stop kb-sleep", ["service kb-sleep"]],
    ["systemctl disable -q kb-sleep", ["service kb-sleep"]],
    ["systemctl unmask -q cron && systemctl start cron", ["service cron"]],
    ["ufw delete deny from 2001:db8::/48", ["ufw_rule deny in from 2001:DB8:0::/48 to any"]],
    ["ufw limit log 22/tcp", ["ufw_rule allow in proto tcp from any to any port 22"]],
    ["iptables -P INPUT ACCEPT && iptables -F", ["ufw firewall"]],
    ["ufw default allow incoming && ufw logging high", ["ufw firewall"]],
    ["ufw disable", ["ufw firewall"]],
    ["echo '{}' >/etc/docker/daemon.json", ["docker_engine dockerd"]],
    ["systemctl disable -q docker", ["docker_engine dockerd"]],
    ["docker stop box", ["docker_container box"]],
    ["docker update --restart no box", ["docker_container box"]],
    ["docker rm -f box", ["docker_container box"]],
    ["docker pause box", ["docker_container box"]],
    ["docker create --name box.kb-old mariadb:11.8", ["docker_container box"]],
    ["touch /etc/box.conf", ["docker_container box"]],
    ["docker rm -f box && docker run -d --name box --network host mariadb:11.8 sleep 1000", ["docker_container box"]],
  ])("see and mend drift: %s", async (drift, tasks) => {
    await on(drift);
    const check = await run("--check");
    expect(changed(check)).toEqual(tasks);
    expect(changed(await run())).toEqual(tasks);
    expect(changed(await run())).toEqual([]);
  });

  it("leave a container alone whose new image or new form does not work", async () => {
    const id = await on("docker inspect --format '{{.Id}}' box");
    const [unknown] = errorsOf(await play(LAB, [...given, "-e", "image=mariadb:99.9"]));
    expect(unknown).toMatchObject({
      task: "docker_image mariadb:99.9",
      detail: /manifest for mariadb:99\.9 not found/,
    });
    expect(await on("docker inspect --format '{{.Id}} {{.State.Status}}' box")).toBe(`${id.trim()} running\n`);
    const [broken] = errorsOf(await play(LAB, [...given, "-e", "entrypoint=/no/such/program"]));
    expect(broken?.detail).toContain("the old one was put back");
    expect(await on("docker inspect --format '{{.Id}} {{.State.Status}} {{.HostConfig.RestartPolicy.Name}}' box")).toBe(
      `${id.trim()} running unless-stopped\n`,
    );
    expect(await on("docker ps --all --format '{{.Names}}'")).toBe("box\n");
    expect(changed(await run())).toEqual([]);
  });

  it("never let the firewall shut out the connection that it is changed by", async () => {
    await on("ufw disable && ufw delete allow 22/tcp && ufw prepend deny from 10.7.4.1");
    const [refused] = errorsOf(await play(LAB, given));
    expect(refused).toMatchObject({
      task: "ufw firewall",
      detail: /would shut out new ssh connections from 10\.7\.4\.1 to port 22/,
    });
    expect(await on("ufw status")).toContain("Status: inactive");
    await on("ufw delete deny from 10.7.4.1");
    await run();
  });

  it("undo it, and find nothing more to undo", async () => {
    const check = await run("--check", "-e", "state=absent");
    expect(changed(await run("-e", "state=absent"))).toEqual(changed(check));
    expect(changed(await run("-e", "state=absent"))).toEqual([]);
    expect(await on("docker volume ls -q -f name=box-data")).toBe("box-data\n");
  });

  it.each(["apt jq, ufw", "apt docker.io", "docker_image", "docker_container", "ufw firewall", "service kb-sleep"])(
    "converge after kb was killed in the midst, at %s",
    async (task) => {
      await run("-e", "state=absent");
      if (task.includes("docker.io")) {
        await on("apt-get purge -y -q docker.io docker-cli containerd runc >/dev/null 2>&1; rm -rf /etc/docker");
      }
      if (task === "docker_image") await on("docker image rm mariadb:11.8");
      const running = startKb(LAB, ["play", ...given, "--json"]);
      try {
        await running.told(`"task":"${task}`, 300_000);
      } finally {
        running.child.kill("SIGKILL");
        await running.done;
      }
      // What the host was doing comes to an end, and frees the host's lock.
      await on("until flock -w 30 -E 9 /run/lock/keybuzz.lock true; do sleep 0.2; done");
      await run();
      expect(changed(await run())).toEqual([]);
    },
    600_000,
  );

  it("converge after apt itself was killed", async () => {
    await on("apt-get purge -y -q jq libjq1 libonig5 >/dev/null");
    await on(
      "DEBIAN_FRONTEND=noninteractive apt-get install -y -q jq >/dev/null 2>&1 & " +
        "until grep -q '^Status: install ok unpacked' /var/lib/dpkg/status /var/lib/dpkg/updates/* 2>/dev/null; do :; done; " +
        "kill -9 $! $(ps -eo pid,comm | awk '$2 == \"dpkg\" { print $1 }'); true",
    );
    expect(changed(await run())).toEqual(["apt jq, ufw"]);
    expect(changed(await run())).toEqual([]);
    expect(await on("dpkg --audit; ls /var/lib/dpkg/updates")).toBe("");
  });
});

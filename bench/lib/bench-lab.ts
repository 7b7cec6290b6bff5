import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { controllerArgv, down, type LabHost, labNames, setDistance, sshArgv, up } from "@keybuzz/lab";
import { $ } from "zx";
import { option } from "./options.ts";

const BENCH = join(import.meta.dirname, "..");
const HOSTS: readonly LabHost[] = Array.from({ length: 5 }, (_, index) => ({
  name: `w50-0${index + 1}`,
  address: `10.9.0.${11 + index}`,
}));

/** A name and the address that it is reached at; several names may stand for one host of the lab. */
export interface BenchHost {
  readonly name: string;
  readonly address: string;
}

/** The lab that benchmarks run in: five real hosts, made ready for W50 (`peers/prepare-host.sh`). */
export class BenchLab {
  readonly name: string;

  private constructor(name: string) {
    this.name = name;
  }

  /**
   * Boots the lab `bench`, or another that `--lab NAME` names.
   * @param mitogen whether the hosts get what Debian's Mitogen needs of a Python without the module `imp` */
  static async start(mitogen: boolean): Promise<BenchLab> {
    const name = option("lab") ?? "bench";
    if (labNames().includes(name)) {
      throw new Error(`the lab ${name} is up: another benchmark runs, or was cut off (./kb lab down --name ${name})`);
    }
    await up({ name, hosts: HOSTS }, { onStep: ({ text }) => console.log(text) });
    const lab = new BenchLab(name);
    await lab.onHosts(readFileSync(join(BENCH, "peers/prepare-host.sh"), "utf8"));
    // python3-apt keeps a cache that its first import makes.
    await lab.onHosts("rm -f /etc/ansible-probe; python3 -c 'import apt'");
    // Many names of one host connect at once; OpenSSH would drop the eleventh that has not logged in yet.
    await lab.onHosts("echo 'MaxStartups 200' >/etc/ssh/sshd_config.d/51-bench.conf; systemctl reload ssh");
    if (mitogen) await lab.onHosts("apt-get install -qq -y python3-zombie-imp >/dev/null");
    return lab;
  }

  /** This many names for the five hosts, in turn. */
  hosts(count: number): readonly BenchHost[] {
    return Array.from({ length: count }, (_, index) => {
      const { address = "" } = HOSTS[index % HOSTS.length] ?? {};
      return { name: `w50-${String(index + 1).padStart(2, "0")}`, address };
    });
  }

  /** Runs a shell script on each of the five hosts. */
  async onHosts(script: string): Promise<void> {
    await Promise.all(
      HOSTS.map(async ({ address }) => {
        const [command = "", ...args] = controllerArgv(this.name, sshArgv(this.name, address, ["sh", "-s"]));
        await $({ input: script, quiet: true, timeout: "5m" })`${command} ${args}`;
      }),
    );
  }

  /** Takes the hosts to where W50 has never been. */
  async reset(): Promise<void> {
    await this.onHosts(readFileSync(join(BENCH, "reset-host.sh"), "utf8"));
  }

  async distance(rttMs: number): Promise<void> {
    await setDistance(this.name, { rttMs });
    await sleep(500);
  }

  async stop(): Promise<void> {
    await down(this.name);
  }
}

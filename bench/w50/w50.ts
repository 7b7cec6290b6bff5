import { apt, command, cron, directory, file, lineinfile, service, sysctl, template, user } from "@keybuzz/modules";
import { definePlaybook, type Host, sh, type Task } from "@keybuzz/runner";
import * as z from "zod";

const TEMPLATE = new URL("templates/f.conf.ejs", import.meta.url);
const STATIC = new URL("../peers/ansible/files/static.conf", import.meta.url);
const ROOT = { owner: "root", group: "root" };
const numbers = (first: number, last: number): string[] =>
  Array.from({ length: last - first + 1 }, (_, index) => String(first + index).padStart(2, "0"));
const modeOf = (n: string): string => (Number(n) % 2 === 1 ? "0600" : "0644");

/** The 50 tasks of peers/ansible/w50.yml, one for one; with `only: files` its 20 files alone. */
function w50(host: Host<unknown>, only: "all" | "files"): readonly Task[] {
  const files = [
    ...numbers(1, 10).map((n) =>
      template({
        src: TEMPLATE,
        dest: `/etc/kbench.d/f${n}.conf`,
        vars: { n, host_name: host.name },
        mode: modeOf(n),
        ...ROOT,
      }),
    ),
    ...numbers(11, 20).map((n) => file({ path: `/etc/kbench.d/f${n}.conf`, src: STATIC, mode: modeOf(n), ...ROOT })),
  ];
  if (only === "files") return files;
  return [
    ...["/etc/kbench.d", "/var/lib/kbench", "/var/lib/kbench/a", "/var/lib/kbench/b", "/var/lib/kbench/c"].map((path) =>
      directory({ path, mode: "0755", ...ROOT }),
    ),
    ...files,
    ...["alpha", "beta", "gamma", "delta", "epsilon"].map((key) =>
      lineinfile({ path: "/etc/kbench-lines.conf", regexp: new RegExp(`^${key}=`), line: `${key}=1` }),
    ),
    ...["sudo", "rsync", "ufw", "openssh-server", "cron"].map((name) => apt({ name })),
    ...["ssh", "cron", "ufw", "kbench-a", "kbench-b"].map((name) => service({ name, enabled: true, state: "started" })),
    ...[1, 2, 3].map((n) => user({ name: `kb${n}`, uid: 3000 + n, shell: "/bin/bash", home: `/home/kb${n}` })),
    ...Object.entries({
      "net.core.somaxconn": 1024,
      "net.ipv4.tcp_keepalive_time": 600,
      "net.ipv4.tcp_fin_timeout": 30,
    }).map(([name, value]) => sysctl({ name, value, sysctl_file: "/etc/sysctl.d/60-kbench.conf" })),
    cron({ name: "kbench-1", minute: "5", hour: "4", job: "/bin/true kbench-1" }),
    cron({ name: "kbench-2", minute: "15", hour: "3", job: "/bin/true kbench-2" }),
    ...[22, 443].map((port) =>
      command({
        run: sh`ufw allow ${`${port}/tcp`} && touch ${`/var/lib/kbench/ufw-${port}`}`,
        creates: `/var/lib/kbench/ufw-${port}`,
      }),
    ),
  ];
}

export default definePlaybook({
  name: "w50",
  summary: "The 50 tasks of the peers' workload, as one list",
  groups: { all: z.object({}) },
  params: z.strictObject({ only: z.enum(["all", "files"]).default("all").describe("`files`: its 20 files alone") }),
  async run({ all }, { params }) {
    await all.ensure((host) => w50(host, params.only));
  },
});

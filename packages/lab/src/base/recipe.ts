import { createHash } from "node:crypto";
import type { DebianMirror } from "../apt/sources.ts";

/** All that a base system is made from; a change of anything here makes a new base. */
export interface BaseRecipe {
  readonly suite: string;
  readonly mirror: DebianMirror;
  /** Installed in every host. */
  readonly packages: readonly string[];
  /** Fetched with all that they depend on and recommend, so that roles install them offline; installed in no host. */
  readonly fetched: readonly string[];
  /** Units that cost start-up time and serve nobody in a lab. */
  readonly masked: readonly string[];
  /** Text files, by path. */
  readonly files: Readonly<Record<string, string>>;
  /** Run last, in the base system. */
  readonly finish: string;
}

const PACKAGES = [
  // What any Debian server has.
  ...["systemd", "systemd-sysv", "libpam-systemd", "dbus", "udev", "openssh-server", "sudo", "cron", "logrotate"],
  ...["procps", "psmisc", "ca-certificates", "gnupg", "curl", "less", "locales", "adduser", "tzdata", "kmod"],
  ...["ufw", "iptables", "nftables", "iproute2", "iputils-ping", "netcat-openbsd", "rsync", "xfsprogs", "e2fsprogs"],
  ...["parted", "fdisk", "socat", "lsof"],
  // What the comparison with Ansible needs of a host.
  ...["python3-minimal", "python3-apt"],
];

const FETCHED = [
  ...["docker.io", "docker-cli", "containerd", "runc"],
  ...["mariadb-server", "mariadb-client", "mariadb-backup", "galera-4", "galera-arbitrator-4", "sysbench"],
  ...["haproxy", "keepalived", "stunnel4", "chrony", "jq", "zstd", "pigz", "age", "python3-pymysql"],
  ...["prometheus", "prometheus-alertmanager", "prometheus-node-exporter", "prometheus-mysqld-exporter"],
];

const MASKED = [
  ...["console-getty.service", "getty@.service", "serial-getty@.service", "getty.target"],
  ...[
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
  ],
  ...["fstrim.timer", "systemd-networkd-wait-online.service", "systemd-firstboot.service"],
  // The kernel is the machine's: its parameters and devices are not a host's to set.
  ...["systemd-udevd.service", "systemd-udev-trigger.service", "systemd-modules-load.service"],
  ...["systemd-udevd-control.socket", "systemd-udevd-kernel.socket", "systemd-binfmt.service"],
];

/** In a container, systemd passes over the disks of /etc/fstab, which a host's volumes are to be mounted by. */
const LAB_MOUNTS = `[Unit]
Description=Mount the volumes of /etc/fstab
DefaultDependencies=no
Before=local-fs.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/bin/mount --all

[Install]
WantedBy=local-fs.target
`;

/** The base system of every host: Debian 13, bare of all that a role installs. */
export function baseRecipe(mirror: DebianMirror): BaseRecipe {
  const suite = "trixie";
  return {
    suite,
    mirror,
    packages: PACKAGES,
    fetched: FETCHED,
    masked: MASKED,
    files: {
      "/etc/apt/sources.list": renderSources(suite, mirror),
      // A lab's hosts are thrown away: what a crash of the machine would lose is not worth a sync a file.
      "/etc/dpkg/dpkg.cfg.d/lab": "force-unsafe-io\n",
      "/etc/default/locale": "LANG=C.UTF-8\n",
      // pam_nologin turns users other than root away until user sessions are allowed; answer only then.
      "/etc/systemd/system/ssh.service.d/lab.conf": "[Unit]\nAfter=systemd-user-sessions.service\n",
      "/etc/systemd/system/lab-mounts.service": LAB_MOUNTS,
      "/etc/sudoers.d/lab": "admin ALL=(ALL:ALL) NOPASSWD: ALL\ndeploy ALL=(ALL:ALL) ALL\n",
    },
    finish: [
      "set -eu",
      "rm -f /etc/ssh/ssh_host_* /etc/machine-id /var/lib/dbus/machine-id",
      "chmod 0440 /etc/sudoers.d/lab",
      "useradd --uid 1000 --user-group --create-home --shell /bin/bash admin",
      "useradd --uid 1001 --user-group --create-home --shell /bin/bash deploy",
      // sudo makes this at the first use; a run that changes nothing must not seem to have.
      "touch /home/admin/.sudo_as_admin_successful",
      "systemctl set-default multi-user.target",
      "systemctl enable lab-mounts.service",
      "systemctl disable ufw.service nftables.service 2>/dev/null || true",
      "apt-get clean",
      "rm -rf /var/log/journal /var/log/*.log /var/log/apt/*",
    ].join("\n"),
  };
}

/** Text of a sources.list for a suite of a mirror. */
export function renderSources(suite: string, { main, security }: DebianMirror): string {
  const lines = [`deb ${main} ${suite} main`, `deb ${main} ${suite}-updates main`];
  if (security !== undefined) lines.push(`deb ${security} ${suite}-security main`);
  return `${lines.join("\n")}\n`;
}

/** Name of the base that a recipe makes: twelve hexadecimal digits. */
export function recipeHash(recipe: BaseRecipe): string {
  return createHash("sha256").update(JSON.stringify(recipe)).digest("hex").slice(0, 12);
}

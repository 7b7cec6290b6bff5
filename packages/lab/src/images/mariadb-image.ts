import { readFileSync } from "node:fs";
import { join } from "node:path";
import { debianBase } from "./debian-base.ts";
import type { FilesLayer, ImageRecipe, PackagesLayer } from "./recipe.ts";

/** Who the server runs as: the ids that the official image has, so that a data folder on a host fits both. */
const MYSQL_ID = 999;

const packages: PackagesLayer = {
  kind: "packages",
  name: "mariadb-server",
  on: debianBase,
  packages: [
    ...["mariadb-server", "mariadb-backup", "galera-4", "socat", "gosu"],
    ...["iproute2", "lsof", "tzdata", "zstd", "xz-utils"],
  ],
  before: `
groupadd --system --gid ${MYSQL_ID} mysql
useradd --system --uid ${MYSQL_ID} --gid mysql --home-dir /var/lib/mysql --no-create-home --shell /usr/sbin/nologin mysql
`,
  after: `
# The package makes a data folder when it is installed; a container makes its own.
rm -rf /var/lib/mysql /etc/mysql/debian.cnf /etc/mysql/debian-start
install -d -o mysql -g mysql -m 0755 /var/lib/mysql
install -d /docker-entrypoint-initdb.d
# What Debian presets for a server on its own (loopback only, short binary logs, the messages of a state transfer to a
# syslog that no container has) is left to who runs the container.
find /etc/mysql/mariadb.conf.d -type f -exec sed -Ei 's/^(bind-address|expire_logs_days|syslog)/#\\1/' {} +
# Unpacking is most of what a pull costs: statically linked tools for tables that nobody uses, and perl's for texts in
# Chinese, Japanese and Korean, are a quarter of what the packages bring.
cd /usr/bin
rm -f aria_ftdump aria_pack aria_dump_log aria_read_log myisam_ftdump myisamlog myisampack \\
  mariadb-conv mariadb-import mariadb-plugin mariadb-slap mariadb-waitpid mariadbd-safe-helper replace resolve_stack_dump
cd /usr/lib/*/perl/5*
rm -rf CORE auto/Encode/CN auto/Encode/JP auto/Encode/KR auto/Encode/TW auto/Unicode/Collate
rm -rf /usr/share/perl/5*/Unicode/Collate /usr/share/perl/5*/unicore/TestNorm.pl /usr/share/perl/5*/Module/CoreList.pm
find /usr/bin -xtype l -delete
`,
};

const read = (name: string) => readFileSync(join(import.meta.dirname, "mariadb", name), "utf8");

const files: FilesLayer = {
  kind: "files",
  name: "mariadb-files",
  files: [
    { kind: "directory", path: "/run/mysqld", mode: 0o1777, uid: MYSQL_ID, gid: MYSQL_ID },
    { kind: "file", path: "/usr/local/bin/docker-entrypoint.sh", mode: 0o755, content: read("docker-entrypoint.sh") },
    {
      kind: "file",
      path: "/usr/local/lib/docker-entrypoint/accounts.sh",
      mode: 0o644,
      content: read("accounts.sh"),
    },
    { kind: "file", path: "/usr/local/bin/healthcheck.sh", mode: 0o755, content: read("healthcheck.sh") },
    { kind: "file", path: "/etc/mysql/mariadb.cnf", mode: 0o644, content: read("mariadb.cnf") },
    { kind: "file", path: "/etc/mysql/mariadb.conf.d/05-container.cnf", mode: 0o644, content: read("container.cnf") },
  ],
};

/**
 * `mariadb:11.8` as the lab builds it, from Debian's packages: entrypoint, environment, ids, paths and ports as the
 * official image documents them.
 *
 * @see https://mariadb.com/docs/server/server-management/automated-mariadb-deployment-and-administration/docker-and-mariadb
 */
export const mariadbImage: ImageRecipe = {
  repository: "library/mariadb",
  tags: ["11.8"],
  version: { package: "mariadb-server", env: "MARIADB_VERSION" },
  layers: [debianBase, packages, files],
  config: {
    Entrypoint: ["docker-entrypoint.sh"],
    Cmd: ["mariadbd"],
    Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"],
    ExposedPorts: { "3306/tcp": {} },
    Volumes: { "/var/lib/mysql": {} },
    Labels: {
      "org.opencontainers.image.title": "MariaDB Database, built by the KeyBuzz lab",
      "org.opencontainers.image.description":
        "Not the official image: Debian's MariaDB packages under the official image's conventions, for tests",
      "org.opencontainers.image.vendor": "KeyBuzz lab",
      "org.opencontainers.image.base.name": "debian:trixie",
    },
  },
};

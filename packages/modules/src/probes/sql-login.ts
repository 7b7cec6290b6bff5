import { type Secret, type Sh, secretParam, sh } from "@keybuzz/runner";
import * as z from "zod";

const password = secretParam().refine((text) => !text.reveal().includes("\0"), "must not hold a NUL character");
const container = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, "must be the name of a container");

/** How to reach a MariaDB server from the host that a task runs on. */
export const mariadbLogin = z
  .discriminatedUnion("via", [
    z.strictObject({
      via: z.literal("socket"),
      socket: z.string().default("/run/mysqld/mysqld.sock").describe("path of the server's socket"),
      user: z.string().default("root").describe("account; root is let in by unix_socket, without a password"),
      password: password.optional().describe("needed only where the account is not let in by unix_socket"),
    }),
    z.strictObject({
      via: z.literal("container"),
      container: container.default("mariadb").describe("running container that holds the server and the client"),
      socket: z.string().default("/run/mysqld/mysqld.sock").describe("path of the server's socket in the container"),
      user: z.string().default("root").describe("account"),
      password: password.optional().describe("needed only where the account is not let in by unix_socket"),
    }),
    z.strictObject({
      via: z.literal("tcp"),
      host: z.string().default("127.0.0.1").describe("address of the server, as the host sees it"),
      port: z.int().min(1).max(65535).default(3306).describe("port of the server"),
      user: z.string().describe("account"),
      password: password.describe("password of the account"),
      tls: z
        .enum(["verify", "encrypt", "off"])
        .default("verify")
        .describe("verify the server's certificate, only encrypt, or neither"),
    }),
  ])
  .describe("how to reach the server: via socket, container (docker exec) or tcp");

/** How to reach ProxySQL's admin port from the host that a task runs on, with that host's `mariadb` client. */
export const proxysqlLogin = z
  .strictObject({
    host: z.string().default("127.0.0.1").describe("address of the admin port; the user `admin` may use loopback only"),
    port: z.int().min(1).max(65535).default(6032).describe("admin port"),
    user: z.string().default("admin").describe("a name of admin-admin_credentials"),
    password: password.describe("its password"),
  })
  .describe("how to reach the admin port");

export type MariadbLogin = z.output<typeof mariadbLogin>;
export type ProxysqlLogin = z.output<typeof proxysqlLogin>;

/** A server that the `mariadb` client can talk to, as data. */
export interface SqlServer {
  /** For messages: `mariadbd (container mariadb)`. */
  readonly label: string;
  /** The client's connection arguments; none of them is secret. */
  readonly arguments: Sh;
  readonly password: Secret | undefined;
  /** Container to run the client in; on the host itself unless given. */
  readonly container: string | undefined;
  /** First statement of every session, if there has to be one. */
  readonly opening?: string;
  /** What makes a session read-only, where the server knows of such. */
  readonly readOnly?: string;
}

/**
 * Literals of the `sql` tag and the quoting of SHOW GRANTS both depend on sql_mode, so a session never takes the server's.
 * @see https://mariadb.com/kb/en/sql-mode/
 */
const MARIADB_OPENING =
  "SET SESSION sql_mode='STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_AUTO_CREATE_USER,NO_ENGINE_SUBSTITUTION'";

const TLS = {
  verify: sh`--ssl --ssl-verify-server-cert`,
  encrypt: sh`--ssl --skip-ssl-verify-server-cert`,
  off: sh`--skip-ssl`,
} as const;

/** The server that a login means. */
export function mariadbServer(login: MariadbLogin): SqlServer {
  const readOnly = "SET SESSION TRANSACTION READ ONLY";
  const common = { password: login.password, opening: MARIADB_OPENING, readOnly };
  if (login.via === "tcp") {
    const { host, port, user } = login;
    return {
      ...common,
      label: `mariadbd at ${host}:${port}`,
      arguments: sh`--protocol=tcp ${[`--host=${host}`, `--port=${port}`, `--user=${user}`]} ${TLS[login.tls]}`,
      container: undefined,
    };
  }
  const container = login.via === "container" ? login.container : undefined;
  return {
    ...common,
    label: container === undefined ? "mariadbd" : `mariadbd in container ${container}`,
    arguments: sh`--protocol=socket ${[`--socket=${login.socket}`, `--user=${login.user}`]}`,
    container,
  };
}

/**
 * The admin port that a login means. ProxySQL's certificate is signed by itself, and a client from 11.4 on would refuse
 * it; a client told to ask for TLS would refuse an admin port that has none. So TLS is used where offered, unverified.
 */
export function proxysqlServer({ host, port, user, password }: ProxysqlLogin): SqlServer {
  return {
    label: `ProxySQL's admin port ${host}:${port}`,
    arguments: sh`--protocol=tcp ${[`--host=${host}`, `--port=${port}`, `--user=${user}`]} --skip-ssl-verify-server-cert`,
    password,
    container: undefined,
  };
}

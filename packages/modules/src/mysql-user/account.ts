import { Secret, type Value } from "@keybuzz/runner";

/** One way to log in, of those joined by OR. The hash is null where the plugin needs none, or the password is empty. */
export type Authentication = { readonly plugin: string; readonly hash: Secret | null };

/** What the server demands of an account's connection. */
export type TlsRequirement = "NONE" | "SSL" | "X509" | { readonly [part: string]: string };

export type Limits = {
  readonly max_queries_per_hour: number;
  readonly max_updates_per_hour: number;
  readonly max_connections_per_hour: number;
  readonly max_user_connections: number;
  readonly max_statement_time: number;
};

/** An account without its privileges. */
export type Account = {
  readonly auth: readonly Authentication[];
  readonly tls: TlsRequirement;
  readonly limits: Limits;
};

export const NO_LIMITS: Limits = {
  max_queries_per_hour: 0,
  max_updates_per_hour: 0,
  max_connections_per_hour: 0,
  max_user_connections: 0,
  max_statement_time: 0,
};

type Json = { readonly [key: string]: unknown };

/**
 * Reads the Priv column of mysql.global_priv, the only place that knows all ways to log in (`auth_or`): mysql.user shows
 * the first alone, and an account changed by it would lose unix_socket.
 * @see https://mariadb.com/kb/en/mysqlglobal_priv-table/
 */
export function parseGlobalPriv(json: string): Account {
  const priv: Json = JSON.parse(json);
  return { auth: parseAuth(priv), tls: parseTls(priv), limits: parseLimits(priv) };
}

/** In `auth_or`, an empty record stands for the plugin that is named at the top. */
function parseAuth(priv: Json): readonly Authentication[] {
  const alternatives = Array.isArray(priv["auth_or"]) ? (priv["auth_or"] as readonly Json[]) : [{}];
  return alternatives.map((alternative): Authentication => {
    const from = Object.keys(alternative).length === 0 ? priv : alternative;
    const hash = text(from["authentication_string"]);
    // An account made before there were plugins has none written down.
    return { plugin: text(from["plugin"]) || "mysql_native_password", hash: hash === "" ? null : new Secret(hash) };
  });
}

function parseTls(priv: Json): TlsRequirement {
  switch (priv["ssl_type"] ?? 0) {
    case 0:
      return "NONE";
    case 1:
      return "SSL";
    case 2:
      return "X509";
    default: {
      const parts = { cipher: priv["ssl_cipher"], issuer: priv["x509_issuer"], subject: priv["x509_subject"] };
      return Object.fromEntries(
        Object.entries(parts)
          .map(([name, value]) => [name, text(value)] as const)
          .filter(([, value]) => value !== ""),
      );
    }
  }
}

function parseLimits(priv: Json): Limits {
  const number = (name: string): number => Number(priv[name] ?? 0);
  return {
    max_queries_per_hour: number("max_questions"),
    max_updates_per_hour: number("max_updates"),
    max_connections_per_hour: number("max_connections"),
    max_user_connections: number("max_user_connections"),
    max_statement_time: number("max_statement_time"),
  };
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** The state of a user: its account and its privileges. */
export type UserState = Account & { readonly privileges: { readonly [scope: string]: readonly string[] } } & {
  readonly [key: string]: Value;
};

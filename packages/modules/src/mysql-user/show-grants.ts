import { collect, type Privileges, parseScope, renderScope, splitPrivileges } from "./privileges.ts";

const NAMED = "`(?:[^`]|``)*`";
const QUOTED = "'(?:[^'\\\\]|''|\\\\.)*'";
const GRANT = new RegExp(
  `^GRANT (.+?) ON ((?:(?:FUNCTION|PROCEDURE|PACKAGE BODY|PACKAGE) )?(?:\\*|${NAMED})\\.(?:\\*|${NAMED})) TO ${NAMED}@${NAMED}(.*)$`,
  "s",
);
const OTHER = new RegExp(`^(?:GRANT (?:${NAMED}|[A-Za-z0-9_]+) TO |SET DEFAULT ROLE |GRANT PROXY ON )`);

/**
 * Reads the statements of SHOW GRANTS. Roles, PROXY grants and what PUBLIC has are left out.
 * @throws Error for a statement of an unknown form: it may hold privileges that would be overlooked
 * @see https://mariadb.com/kb/en/show-grants/
 */
export function parseShowGrants(statements: readonly string[]): Privileges {
  return collect(statements.flatMap(parseStatement));
}

function parseStatement(statement: string): readonly (readonly [string, readonly string[]])[] {
  const grant = GRANT.exec(statement);
  if (grant !== null) {
    const privileges = splitPrivileges(grant[1] ?? "");
    return [[renderScope(parseScope(grant[2] ?? "")), withOption(privileges, grant[3] ?? "")]];
  }
  // What everybody has is shown with every account, from 10.11 on.
  if (OTHER.test(statement) || / TO PUBLIC( WITH GRANT OPTION)?$/.test(statement)) return [];
  throw new Error(`SHOW GRANTS said something unknown: ${statement.replace(/ IDENTIFIED .*/s, " ...")}`);
}

/** The rest of a statement tells of authentication too, in quotes; only its own words count. */
function withOption(privileges: readonly string[], rest: string): readonly string[] {
  const words = rest.replace(new RegExp(QUOTED, "gs"), "''");
  return words.includes(" WITH GRANT OPTION") ? [...privileges, "GRANT OPTION"] : privileges;
}

/** The configuration families that LOAD and SAVE move between layers. */
export const FAMILIES = [
  "MYSQL SERVERS",
  "MYSQL USERS",
  "MYSQL QUERY RULES",
  "MYSQL VARIABLES",
  "ADMIN VARIABLES",
  "PROXYSQL SERVERS",
  "SCHEDULER",
  "MYSQL FIREWALL",
  "RESTAPI",
] as const;
/** A configuration family. */
export type Family = (typeof FAMILIES)[number];

/** A movement between two layers. */
export type Move = "memory to runtime" | "runtime to memory" | "disk to memory" | "memory to disk" | "config to memory";

const MOVES: Readonly<Record<string, Move>> = {
  "LOAD TO RUNTIME": "memory to runtime",
  "LOAD TO RUN": "memory to runtime",
  "LOAD FROM MEMORY": "memory to runtime",
  "LOAD FROM MEM": "memory to runtime",
  "LOAD FROM DISK": "disk to memory",
  "LOAD TO MEMORY": "disk to memory",
  "LOAD TO MEM": "disk to memory",
  "LOAD FROM CONFIG": "config to memory",
  "SAVE TO MEMORY": "runtime to memory",
  "SAVE TO MEM": "runtime to memory",
  "SAVE FROM RUNTIME": "runtime to memory",
  "SAVE FROM RUN": "runtime to memory",
  "SAVE TO DISK": "memory to disk",
  "SAVE FROM MEMORY": "memory to disk",
  "SAVE FROM MEM": "memory to disk",
};

/** Brings a command into its plain form: blanks single, no blank around it, no trailing semicolon. */
export function normalise(sql: string): string {
  return sql
    .trim()
    .replace(/[\s;]+$/, "")
    .replace(/\s+/g, " ");
}

/**
 * Parses `LOAD x TO RUNTIME` and its likes; case does not matter.
 *
 * @param command the normalised statement.
 * @returns null if the statement is not such a command.
 */
export function parseMove(command: string): { family: Family; move: Move } | null {
  const match = /^(LOAD|SAVE) (.+) (TO|FROM) (\w+)$/.exec(command.toUpperCase());
  if (match === null) return null;
  const family = FAMILIES.find((name) => name === match[2]);
  const move = MOVES[`${match[1]} ${match[3]} ${match[4]}`];
  return family === undefined || move === undefined ? null : { family, move };
}

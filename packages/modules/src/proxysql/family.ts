import { type Action, askBatch, BugError, type Probe, Unmet } from "@keybuzz/runner";
import * as z from "zod";
import { type ProxysqlLogin, proxysqlServer } from "../probes/sql-login.ts";
import { runSql, sqlBatch } from "../probes/sql-session.ts";
import { type Family, type Layers, layersQuestion, readLayers, showLayers } from "./layers.ts";
import { familyStatements } from "./statements.ts";

/** What becomes of rows that are not declared. */
export const unmanagedParam = z
  .enum(["keep", "remove"])
  .default("keep")
  .describe("rows that are not declared: keep those in memory (in all layers alike), or remove them");

/** The state of a family. */
export function familyProbe(login: ProxysqlLogin, family: Family): Probe<Layers | Unmet> {
  const server = proxysqlServer(login);
  return askBatch(sqlBatch(server), layersQuestion(family).toString(), (output) => {
    const reading = readLayers(server, family, output);
    return reading instanceof Unmet ? reading : showLayers(family, reading);
  });
}

/** One session with all that differs. */
export function familyPlan(
  login: ProxysqlLogin,
  family: Family,
  current: Layers | null,
  wanted: Layers | null,
): readonly [Action] {
  if (wanted === null) throw new BugError(`the tables of ${family.words} cannot be absent`);
  return [runSql(proxysqlServer(login), familyStatements(family, current, wanted))];
}

/** What a task of this family is about: the admin port. */
export function adminPort({ host, port }: ProxysqlLogin): string {
  return `${host}:${port}`;
}

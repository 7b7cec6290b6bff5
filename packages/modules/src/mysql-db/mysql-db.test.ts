import { moduleSuite } from "@keybuzz/runner/testing";
import { describe, expect, it } from "vitest";
import { mysqlDb } from "./mysql-db.ts";

moduleSuite(mysqlDb, import.meta.url);

describe("mysql_db", () => {
  it("is destroyed only where its name is given twice", () => {
    const login = { via: "socket" } as const;
    expect(() => mysqlDb({ login, name: "erp", state: "absent" })).toThrow("bad params");
    expect(() => mysqlDb({ login, name: "erp", state: "absent", confirm: "other" })).toThrow("bad params");
    expect(mysqlDb({ login, name: "erp", state: "absent", confirm: "erp" }).assess(null).differs).toBe(false);
  });
});

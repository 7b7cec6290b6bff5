import { ParamsError, Secret } from "@keybuzz/runner";
import { moduleSuite } from "@keybuzz/runner/testing";
import { describe, expect, it } from "vitest";
import { renderTemplate, templatePath } from "./render.ts";
import { template } from "./template.ts";

moduleSuite(template, import.meta.url);

const fixture = (name: string): string => templatePath(new URL(`./fixtures/${name}.ejs`, import.meta.url));
const vars = {
  serverId: 170,
  nodes: [{ address: "10.0.0.170" }, { address: "10.0.0.171" }],
  tuning: { slow_log: true },
  sst: { password: new Secret(`p"<&'$&w`) },
};

function refusal(run: () => unknown): ParamsError {
  try {
    run();
  } catch (error) {
    if (error instanceof ParamsError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("renderTemplate", () => {
  it("inserts values as they are, and becomes a secret where one was inserted", () => {
    const text = renderTemplate(fixture("server.cnf"), vars);
    expect(text).toBeInstanceOf(Secret);
    expect(text instanceof Secret && text.reveal()).toBe(
      [
        "[mysqld]",
        "server_id = 170",
        "wsrep_cluster_address = gcomm://10.0.0.170,10.0.0.171",
        "slow_query_log = ON",
        "[sst]",
        `password = "p"<&'$&w"`,
        "",
      ].join("\n"),
    );
  });

  it("stays a plain text where no secret was inserted", () => {
    expect(renderTemplate(fixture("part"), { sst: { password: "open" }, other: new Secret("unused") })).toBe(
      '[sst]\npassword = "open"\n',
    );
  });

  it.each([
    ["missing-name", /missing-name\.ejs cannot be rendered: missing is not defined/, /missing-name\.ejs:3\n/],
    ["includes-missing", /missing is not defined/, /includes-missing\.ejs:1\n[\s\S]*missing-name\.ejs:3\n/],
    ["missing-field", /the value is undefined/, /missing-field\.ejs:2\n/],
    ["list", /the value is a list: join it, not text/, /list\.ejs:1\n/],
  ])("says where %s fails", (name, message, detail) => {
    const error = refusal(() => renderTemplate(fixture(name), { db: { name: "x" }, list: ["a"] }));
    expect(error.message).toMatch(message);
    expect(error.detail).toMatch(detail);
    expect(error.hint).toBe("its vars are db, list");
  });

  it("says which file cannot be parsed, or read", () => {
    expect(refusal(() => renderTemplate(fixture("bad-syntax"), {})).message).toMatch(/bad-syntax\.ejs/);
    expect(refusal(() => renderTemplate(fixture("none"), {})).message).toMatch(/ENOENT.*none\.ejs/);
  });

  it.each(["json-secret", "alters-secret", "shouts-secret", "calls-secret"])(
    "refuses a secret that is altered: %s",
    (name) => {
      const error = refusal(() => renderTemplate(fixture(name), { password: new Secret("hunter22") }));
      expect(JSON.stringify([error.message, error.detail, error.hint, error.stack])).not.toMatch(/hunter22/i);
    },
  );
});

describe("template", () => {
  it("refuses a mode that lets others read a secret", () => {
    const error = refusal(() =>
      template({ src: new URL("./fixtures/server.cnf.ejs", import.meta.url), dest: "/etc/x", vars, mode: "0644" }),
    );
    expect(error.message).toBe("/etc/x holds a secret, and mode 0644 lets every user of the host read it");
  });

  it("fails when it is declared, not when it is run", () => {
    expect(() => template({ src: fixture("missing-name"), dest: "/etc/x" })).toThrow(ParamsError);
  });
});

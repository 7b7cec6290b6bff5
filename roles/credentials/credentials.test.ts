import { parseEnv } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KEYS, makePassword, mergeCredentials, renderEnv, rotatedKeys, toCredentials } from "./credentials.ts";

/** As the company's scripts leave it. */
const THEIRS = `# MariaDB Galera
export MARIADB_ROOT_PASSWORD='S3cret with spaces'
MARIADB_APP_USER=erpnext
MARIADB_APP_PASSWORD="app#pass$word"
MARIADB_APP_DATABASE=erpnext
GALERA_CLUSTER_NAME=keybuzz-galera
`;
const render = (merged: ReturnType<typeof mergeCredentials>): string => renderEnv(merged.values).reveal();

describe("mergeCredentials", () => {
  it("makes all that nobody has, different each time", () => {
    const { values, made } = mergeCredentials(undefined, undefined);
    expect(made).toEqual([...KEYS]);
    expect(values).toMatchObject({ MARIADB_APP_USER: "erpnext", GALERA_CLUSTER_NAME: "keybuzz-galera" });
    const passwords = KEYS.filter((key) => key.endsWith("PASSWORD")).map((key) => values[key]);
    expect(new Set(passwords).size).toBe(passwords.length);
    expect(mergeCredentials(undefined, undefined).values).not.toEqual(values);
  });

  it("takes a plain file over as it is, and adds what is ours", () => {
    const { values, made } = mergeCredentials(undefined, THEIRS);
    expect(values.MARIADB_ROOT_PASSWORD).toBe("S3cret with spaces");
    expect(values.MARIADB_APP_PASSWORD).toBe("app#pass$word");
    expect(made).toEqual(KEYS.slice(5));
  });

  it("changes nothing when asked again", () => {
    const first = mergeCredentials(undefined, THEIRS);
    const again = mergeCredentials(render(first), THEIRS);
    expect(again).toEqual({ values: first.values, made: [], differing: [] });
  });

  it("takes the store for right, and names what a plain file has otherwise", () => {
    const store = render(mergeCredentials(undefined, THEIRS));
    const merged = mergeCredentials(store, THEIRS.replace("app#pass", "other"));
    expect(merged.values.MARIADB_APP_PASSWORD).toBe("app#pass$word");
    expect(merged.differing).toEqual(["MARIADB_APP_PASSWORD"]);
  });

  it("rotates what is named, and nothing else", () => {
    const first = mergeCredentials(undefined, THEIRS);
    const { values, made } = mergeCredentials(render(first), THEIRS, ["app"]);
    expect(made).toEqual(["MARIADB_APP_PASSWORD"]);
    expect({ ...values, MARIADB_APP_PASSWORD: "" }).toEqual({ ...first.values, MARIADB_APP_PASSWORD: "" });
    expect([...rotatedKeys(["all"])].sort()).toEqual(KEYS.filter((key) => key.endsWith("PASSWORD")).sort());
  });

  it.each([
    ["MARIADB_APP_USER=a b", /MARIADB_APP_USER is "a b"/],
    ["MARIADB_APP_DATABASE='x`; DROP'", /cannot be a name/],
    ["MARIADB_ROOT_PASSWORD=short", /shorter than 8/],
    ['MARIADB_ROOT_PASSWORD="line\\nbreak"', /line break/],
  ])("refuses %s", (line, message) => {
    expect(() => mergeCredentials(undefined, line)).toThrow(message);
  });
});

it("writes what it reads", () => {
  const text = fc.string({ unit: fc.constantFrom(..."aZ9 #=;$`'\"\\!é&|<>*~"), minLength: 8, maxLength: 20 });
  fc.assert(
    fc.property(text, (password) => {
      const { values } = mergeCredentials(undefined, undefined);
      let written: string;
      try {
        written = renderEnv({ ...values, MARIADB_ROOT_PASSWORD: password }).reveal();
      } catch (error) {
        expect(password).toMatch(/'/);
        expect(String(error)).not.toContain(password);
        return;
      }
      expect(parseEnv(written)["MARIADB_ROOT_PASSWORD"]).toBe(password);
    }),
  );
});

it("makes passwords that need no quoting", () => {
  for (let round = 0; round < 100; round += 1) expect(makePassword()).toMatch(/^[A-Za-z0-9]{32}$/);
});

it("gives the hosts of the database the company's five keys alone", () => {
  const { values } = mergeCredentials(undefined, THEIRS);
  const given = parseEnv(toCredentials(values).hostFile.reveal());
  expect(Object.keys(given).sort()).toEqual(KEYS.slice(0, 5).sort());
});

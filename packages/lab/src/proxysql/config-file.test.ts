import { expect, test } from "vitest";
import { parseConfig } from "./config-file.ts";

test("groups, lists, arrays, numbers, booleans, comments, joined strings", () => {
  const text = `
# comment
datadir="/var/lib/proxysql"   // another
admin_variables = { admin_credentials="admin:admin;" "x:\\"y\\""; refresh_interval=2000L /* in ms */ }
mysql_servers: ( { address = "10.0.0.170", port=0x0CEA, weight = 1 },
  { address="10.0.0.171" , use_ssl=true } )
list = [ 1, -2, 3.5 ]
empty = ()
`;
  expect(parseConfig(text)).toEqual({
    datadir: "/var/lib/proxysql",
    admin_variables: { admin_credentials: 'admin:admin;x:"y"', refresh_interval: 2000 },
    mysql_servers: [
      { address: "10.0.0.170", port: 3306, weight: 1 },
      { address: "10.0.0.171", use_ssl: true },
    ],
    list: [1, -2, 3.5],
    empty: [],
  });
});

test("a trailing comma in a list is taken", () => {
  expect(parseConfig("a=( {b=1}, )")).toEqual({ a: [{ b: 1 }] });
});

test.each([
  ["a = {\n b 1 }", 'line 2: "=" or ":" was expected, not "1"'],
  ["a = (1 2)", 'line 1: "," or ")" was expected, not "2"'],
  ["\n\na = ~", 'line 3: unexpected "~"'],
  ["a = {", 'line 1: a name was expected, not "end of file"'],
])("%j names the line at fault", (text, message) => {
  expect(() => parseConfig(text)).toThrow(message);
});

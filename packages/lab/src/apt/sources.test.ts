import { describe, expect, it } from "vitest";
import { chooseMirror, parseProxy, parseSources, seenByHosts } from "./sources.ts";

describe("parseSources", () => {
  it("reads one line a source, with options and comments", () => {
    const text = [
      "# deb http://old.example/debian trixie main",
      "deb [arch=amd64 signed-by=/usr/share/keyrings/k.gpg] http://a.example/debian trixie main contrib # here",
      "deb-src http://a.example/debian trixie main",
      "",
    ].join("\n");
    expect(parseSources(text, "list")).toEqual([
      { uris: ["http://a.example/debian"], suites: ["trixie"], components: ["main", "contrib"] },
    ]);
  });

  it("reads stanzas, continued lines, and leaves out what is disabled or holds sources only", () => {
    const text = [
      "# a comment",
      "Types: deb deb-src",
      "URIs: http://a.example/debian/",
      "# another",
      "Suites: trixie",
      " trixie-updates",
      "Components: main",
      "",
      "Enabled: no",
      "Types: deb",
      "URIs: http://b.example/debian",
      "Suites: trixie",
      "Components: main",
      " ",
      "Types: deb-src",
      "URIs: http://c.example/debian",
      "Suites: trixie",
      "Components: main",
    ].join("\n");
    expect(parseSources(text, "sources")).toEqual([
      { uris: ["http://a.example/debian/"], suites: ["trixie", "trixie-updates"], components: ["main"] },
    ]);
  });
});

describe("chooseMirror", () => {
  const main = { uris: ["http://a.example/debian/"], suites: ["trixie", "trixie-updates"], components: ["main"] };
  const security = { uris: ["https://s.example/sec"], suites: ["trixie-security"], components: ["main"] };

  it("takes the release's archive, and the security archive where there is one", () => {
    expect(chooseMirror([main, security], "trixie")).toEqual({
      main: "http://a.example/debian",
      security: "https://s.example/sec",
    });
    expect(chooseMirror([main], "trixie")).toEqual({ main: "http://a.example/debian" });
  });

  it("passes over what it cannot fetch from", () => {
    const cdrom = { uris: ["cdrom:[Debian]/"], suites: ["trixie"], components: ["main"] };
    expect(chooseMirror([cdrom, main], "trixie").main).toBe("http://a.example/debian");
  });

  it("asks for KB_LAB_MIRROR on a machine without a Debian source, and obeys it anywhere", () => {
    expect(() => chooseMirror([main], "noble")).toThrow(/KB_LAB_MIRROR/);
    expect(chooseMirror([main, security], "noble", "http://m.example/debian/")).toEqual({
      main: "http://m.example/debian",
    });
  });
});

describe("seenByHosts", () => {
  it("shows one server with two archives under its own name, by plain HTTP", () => {
    const mirror = { main: "https://a.example/debian", security: "https://a.example/debian-security" };
    expect(seenByHosts(mirror)).toEqual({
      mirror: { main: "http://a.example/debian", security: "http://a.example/debian-security" },
      upstreams: [{ name: "a.example", origin: "https://a.example" }],
    });
  });

  it("gives names to a bare address, and to a second server on the same host", () => {
    expect(seenByHosts({ main: "http://192.0.2.1:3142/debian" })).toEqual({
      mirror: { main: "http://packages-1.lab/debian" },
      upstreams: [{ name: "packages-1.lab", origin: "http://192.0.2.1:3142" }],
    });
    const twoPorts = { main: "http://a.example:81/debian", security: "http://a.example:82/sec" };
    expect(seenByHosts(twoPorts).upstreams).toEqual([
      { name: "a.example", origin: "http://a.example:81" },
      { name: "packages-2.lab", origin: "http://a.example:82" },
    ]);
  });
});

describe("parseProxy", () => {
  it("finds apt's HTTP proxy, and none where it is direct or unset", () => {
    expect(parseProxy('Acquire "";\nAcquire::http::Proxy "http://p.example:3128";\n')).toBe("http://p.example:3128");
    expect(parseProxy('Acquire::http::Proxy "DIRECT";\n')).toBeUndefined();
    expect(parseProxy('Acquire::http::Proxy "";\n')).toBeUndefined();
    expect(parseProxy('Acquire::http::Timeout "3";\n')).toBeUndefined();
  });
});

import { moduleSuite } from "@keybuzz/runner/testing";
import { describe, expect, it } from "vitest";
import { aptRepository } from "./apt-repository.ts";
import { parseStanzas, renderStanza } from "./deb822.ts";

moduleSuite(aptRepository, import.meta.url);

const KEY = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEawJ3\n=9IGT\n-----END PGP PUBLIC KEY BLOCK-----\n";
const REPOSITORY = {
  name: "x",
  uris: ["http://x.example/debian"],
  suites: ["trixie"],
  components: ["main"],
  signed_by: KEY,
};

describe("deb822", () => {
  it("folds a key, and knows it again", () => {
    const text = renderStanza({ Types: "deb", "Signed-By": KEY });
    expect(text).toBe(
      "Types: deb\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mDMEawJ3\n =9IGT\n -----END PGP PUBLIC KEY BLOCK-----\n",
    );
    const [stanza] = parseStanzas(text);
    expect(stanza?.["Signed-By"]).toMatch(/^key with digest [0-9a-f]{16}$/);
    expect(parseStanzas(renderStanza({ Types: "deb", "Signed-By": KEY.replace("mDMEawJ3", "mDMEawJ4") }))).not.toEqual([
      stanza,
    ]);
  });

  it("does not mind comments, white space, and how fields are spelt", () => {
    const written = "# ours\ntypes:  deb\nURIs: http://a/\n  http://b/\n# not this\nSuites: ./\n\n\n# end\n";
    expect(parseStanzas(written)).toEqual([{ Types: "deb", URIs: "http://a/ http://b/", Suites: "./" }]);
  });

  it("sees every stanza, and fields that it does not know", () => {
    expect(parseStanzas("Types: deb\n\nTypes: deb-src\nTrusted: yes\nX-Odd: 1\n")).toEqual([
      { Types: "deb" },
      { Types: "deb-src", Trusted: "yes", "X-Odd": "1" },
    ]);
  });
});

describe("apt_repository", () => {
  it.each<[string, object]>([
    ["a release without components", { components: [] }],
    ["components of a flat repository", { suites: ["./"] }],
    ["no key", { signed_by: undefined }],
    ["a key by its address", { signed_by: "https://x.example/key.asc" }],
    ["a name that leaves the directory", { name: "../x" }],
    ["an address with a space", { uris: ["http://x.example/a b"] }],
  ])("refuses %s", (_, more) => {
    expect(() => aptRepository({ ...REPOSITORY, ...more })).toThrow("bad params for apt_repository");
  });

  it("fetches the index before the file takes its place", () => {
    const [write] = aptRepository(REPOSITORY).assess(null).actions();
    expect(write?.kind === "write" && write.validate?.text).toContain("kb_fetch_index");
  });
});

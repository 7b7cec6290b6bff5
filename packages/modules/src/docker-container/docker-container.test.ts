import { Secret } from "@keybuzz/runner";
import { moduleSuite } from "@keybuzz/runner/testing";
import { describe, expect, it } from "vitest";
import { dockerContainer } from "./docker-container.ts";
import { params } from "./params.ts";
import { specDigest, wantedSettings } from "./spec.ts";

moduleSuite(dockerContainer, import.meta.url);

const BOX = { name: "box", image: "mariadb:11.8" };
const ABSENT = { state: "absent", image_here: "e6f496ffda4e", leftovers: [] };

function digest(given: object): string {
  const settings = wantedSettings(params.parse({ ...BOX, ...given }));
  return specDigest(BOX.image, settings);
}

function scripts(task: ReturnType<typeof dockerContainer>): readonly string[] {
  return task
    .assess(ABSENT)
    .actions()
    .map((action) => (action.kind === "exec" ? action.script.text : action.kind));
}

describe("docker_container", () => {
  it("gives a secret by standard input alone", () => {
    const task = dockerContainer({ ...BOX, env: { TOKEN: new Secret("example-token"), PLAIN: "$x `y`" } });
    const [create] = task.assess(ABSENT).actions();
    if (create?.kind !== "exec") throw new Error("the first action makes the container");
    expect(create.script.text).not.toContain("example-token");
    expect(create.stdin).toBeInstanceOf(Secret);
    expect(create.stdin instanceof Secret && create.stdin.reveal()).toBe("TOKEN=example-token\nPLAIN=$x `y`\n");
  });

  it("has the image and the new container before it stops the old one", () => {
    const [create = "", swap = ""] = scripts(dockerContainer(BOX));
    expect(create.indexOf("docker pull")).toBeLessThan(create.indexOf("docker create"));
    expect(create).not.toContain("docker stop");
    expect(swap).toContain("docker stop");
  });

  it("never removes a volume", () => {
    for (const task of [dockerContainer(BOX), dockerContainer({ name: "box", state: "absent" })]) {
      expect(scripts(task).join("\n")).not.toMatch(/docker rm [^\n]*(-v|--volumes)/);
    }
  });

  it("touches its container by name", () => {
    expect(dockerContainer(BOX).touches).toEqual(["container:box"]);
  });

  it.each<[string, object]>([
    ["an image without a tag, which changes by itself", { image: "mariadb" }],
    ["a variable of two lines, which an environment file cannot hold", { env: { A: "one\ntwo" } }],
    ["an anonymous volume, which cannot be found again", { volumes: ["/a"] }],
    ["a container made from nothing", { image: undefined }],
    ["what is no name", { name: "../x" }],
    ["a limit without its number", { ulimits: ["nofile"] }],
  ])("refuses %s", (_, more) => {
    expect(() => dockerContainer({ ...BOX, ...more })).toThrow("bad params for docker_container");
  });
});

describe("specDigest", () => {
  it("does not depend on spelling or order", () => {
    expect(digest({ volumes: ["/a:/b:rw", "/c:/d:ro"], capabilities: ["cap_net_admin"] })).toBe(
      digest({ volumes: ["/c:/d:ro", "/a:/b"], capabilities: ["NET_ADMIN"] }),
    );
    expect(digest({ ulimits: ["nofile:9"] })).toBe(digest({ ulimits: ["nofile:9:9"] }));
    expect(digest({ env: { A: "1", B: 2 } })).toBe(digest({ env: { B: "2", A: 1 } }));
  });

  it("tells what it is made from apart", () => {
    const all = [
      {},
      { user: "1" },
      { command: ["a"] },
      { entrypoint: ["a"] },
      { env: { A: "1" } },
      { stop_timeout: 1 },
    ];
    expect(new Set(all.map(digest)).size).toBe(all.length);
  });

  it("says nothing about a secret", () => {
    expect(digest({ env: { A: new Secret("one") } })).toBe(digest({ env: { A: new Secret("two") } }));
  });
});

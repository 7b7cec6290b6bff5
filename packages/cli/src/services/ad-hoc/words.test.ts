import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KbError, Secret, Sh } from "@keybuzz/runner";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { findModule } from "../module-docs.ts";
import { parseWords } from "./words.ts";

const thing = {
  name: "thing",
  params: z.strictObject({
    name: z.union([z.string().regex(/^[a-z0-9.+-]+$/), z.array(z.string())]),
    size: z.int().min(1).default(1),
    enabled: z.boolean().optional(),
    ports: z.array(z.int()).optional(),
    content: z.string().optional(),
    mode: z.string().optional(),
    password: z.union([z.instanceof(Secret), z.string()]).optional(),
    labels: z.record(z.string(), z.string()).default({}),
    ready: z.strictObject({ test: z.custom<Sh>((value) => value instanceof Sh), timeoutMs: z.int() }).optional(),
    login: z
      .discriminatedUnion("via", [
        z.strictObject({ via: z.literal("tcp"), port: z.int() }),
        z.strictObject({ via: z.literal("socket"), path: z.string() }),
      ])
      .optional(),
  }),
};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "kb-words-"));
  writeFileSync(join(folder, "password"), "s3cret\n");
  writeFileSync(join(folder, "text"), "two\nlines\n");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function parsed(...words: readonly string[]): unknown {
  return parseWords(thing, words, folder);
}

function refused(...words: readonly string[]): KbError {
  try {
    parsed(...words);
  } catch (error) {
    if (error instanceof KbError) return error;
    throw error;
  }
  throw new Error("it was not refused");
}

describe("parseWords", () => {
  it.each([
    [["name=curl"], { name: "curl" }],
    [["name=curl,jq"], { name: ["curl", "jq"] }],
    [['name=["a","b,c"]'], { name: ["a", "b,c"] }],
    [["size=12", "enabled=yes"], { size: 12, enabled: true }],
    [["enabled=false"], { enabled: false }],
    [["enabled=No"], { enabled: false }],
    [["ports=80,443"], { ports: [80, 443] }],
    [["ports=80"], { ports: [80] }],
    [["ports="], { ports: [] }],
    // What is text stays text, whatever it looks like.
    [["mode=0644", "content=true"], { mode: "0644", content: "true" }],
    [['content={"a": 1}'], { content: '{"a": 1}' }],
    [["content=a=b"], { content: "a=b" }],
    [["content=@text"], { content: "two\nlines\n" }],
    [["content=@@handle"], { content: "@handle" }],
    [["labels.org.example=x", "labels.b=y"], { labels: { "org.example": "x", b: "y" } }],
    [["login.via=tcp", "login.port=3306"], { login: { via: "tcp", port: 3306 } }],
    [['login={"via":"socket","path":"/run/x"}'], { login: { via: "socket", path: "/run/x" } }],
  ])("reads %j in the schema's types", (words, input) => {
    expect(parsed(...words)).toEqual(input);
    expect(thing.params.partial().safeParse(parsed(...words)).success).toBe(true);
  });

  it("takes the operator's words for shell text where a module wants that", () => {
    const { ready } = thing.params.partial().parse(parsed("ready.test=test -e /x && true", "ready.timeoutMs=5000"));
    expect(ready?.test).toBeInstanceOf(Sh);
    expect(ready?.test.text).toBe("test -e /x && true");
  });

  it.each([
    [["nmae=x"], 'thing has no param "nmae"', "did you mean name?"],
    [["ready.tset=x"], 'thing: ready has no param "tset"', "did you mean test?"],
    [["mode.x=1"], 'thing: mode has no param "x"', "there are none"],
    [["size=many"], "thing: size: this value does not fit", undefined],
    [["size=0"], "thing: size: this value does not fit", undefined],
    [["curl"], '"curl" is no param', "write KEY=VALUE; kb module show thing tells what it takes"],
    [["size=1", "size=2"], "size is given twice", undefined],
    [["content=@nothere"], expect.stringContaining("content: cannot read "), undefined],
  ])("refuses %j", (words, message, hint) => {
    expect(refused(...words)).toMatchObject({ message, hint, exitCode: 2 });
  });

  it("takes a secret from a file alone, and shows it nowhere", () => {
    expect(refused("password=s3cret")).toMatchObject({ hint: expect.stringContaining("password=@FILE") });
    expect(JSON.stringify(refused("password=s3cret"))).not.toContain("s3cret");
    const { password } = thing.params.partial().parse(parsed("password=@password"));
    expect(password instanceof Secret && password.reveal()).toBe("s3cret");
  });

  it("reads what the real modules take", () => {
    const words = ["name=web", "image=nginx:1", "volumes=/a:/b:ro,/c:/d", "labels.a.b=c", "restart_policy=always"];
    const spec = findModule("docker_container").spec;
    expect(spec.params.safeParse(parseWords(spec, words, folder)).error).toBeUndefined();
  });
});

import { ParamsError, Secret, sh } from "@keybuzz/runner";
import { moduleSuite } from "@keybuzz/runner/testing";
import { describe, expect, it } from "vitest";
import { file } from "./file.ts";

moduleSuite(file, import.meta.url);

describe("file", () => {
  it("takes its content from a file of the controller, bytes that are no text too", () => {
    const [write] = file({ path: "/etc/x", src: new URL(import.meta.url) })
      .assess(null)
      .actions();
    expect(write).toMatchObject({ kind: "write", content: expect.stringContaining("moduleSuite") });
    const task = file({ path: "/etc/x", src: new URL("./fixtures/latin1.txt", import.meta.url) });
    expect(task.assess(null).actions()[0]).toMatchObject({ content: Buffer.from("caf\xe9\n", "latin1") });
    expect(task.document?.wanted).toBe("(5 bytes, no UTF-8 text)\n");
  });

  it("hands its validation to the write", () => {
    const validate = sh`visudo -cf "$KB_FILE"`;
    const [write] = file({ path: "/etc/sudoers.d/x", content: "x\n", validate }).assess(null).actions();
    expect(write).toMatchObject({ validate });
  });

  it.each([
    [{ path: "etc/x" }, /path: must be an absolute path/],
    [{ path: "/etc/../x" }, /must not hold/],
    [{ path: "/etc/x", mode: "rw" }, /mode: must be octal/],
    [{ path: "/etc/x", content: "a", src: "/etc/hosts" }, /exclude each other/],
    [{ path: "/etc/x", src: "/none/here" }, /src: ENOENT/],
    [{ path: "/etc/x", content: "a", state: "absent" as const }, /has no content/],
  ])("refuses %j", (params, message) => {
    expect(() => file(params)).toThrow(expect.objectContaining({ detail: expect.stringMatching(message) }));
  });

  it("refuses to let others read a secret, and does not show it", () => {
    const params = { path: "/etc/key", content: new Secret("hunter22"), mode: "0644" };
    expect(() => file(params)).toThrow(ParamsError);
    const task = file({ ...params, mode: "0600" });
    expect(JSON.stringify([task, task.assess(null)])).not.toContain("hunter22");
    expect(task.document?.wanted).toBeInstanceOf(Secret);
  });
});

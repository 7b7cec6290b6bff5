import { moduleSuite } from "@keybuzz/runner/testing";
import { describe, expect, it } from "vitest";
import { dockerImage } from "./docker-image.ts";

moduleSuite(dockerImage, import.meta.url);

describe("docker_image", () => {
  it.each([
    ["mariadb:11.8", "mariadb:11.8"],
    ["docker.io/library/mariadb:11.8", "mariadb:11.8"],
    ["docker.io/proxysql/proxysql:2.7", "proxysql/proxysql:2.7"],
    ["registry.example:5000/a/b:1", "registry.example:5000/a/b:1"],
    [`mariadb@sha256:${"a".repeat(64)}`, `mariadb@sha256:${"a".repeat(64)}`],
  ])("knows %s as %s", (name, shown) => {
    expect(dockerImage({ name }).touches).toEqual([`image:${shown}`]);
  });

  it.each(["mariadb", "registry.example:5000/mariadb", "mariadb:", "Mariadb x:1", "-x:1"])("refuses %s", (name) => {
    expect(() => dockerImage({ name })).toThrow("bad params for docker_image");
  });
});

import { expect, it } from "vitest";
import { parseCgroupMounts } from "./cgroup.ts";

it("finds the one hierarchy of a machine of today", () => {
  const mountinfo = "31 24 0:27 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
  expect(parseCgroupMounts(mountinfo)).toEqual({ unified: "/sys/fs/cgroup" });
});

it("finds both of a machine that has the old ones beside it", () => {
  const mountinfo = [
    "30 24 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755",
    "31 30 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory",
    "32 30 0:28 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd",
    "33 30 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw",
  ].join("\n");
  expect(parseCgroupMounts(mountinfo)).toEqual({
    unified: "/sys/fs/cgroup/unified",
    systemd: "/sys/fs/cgroup/systemd",
  });
});

import { moduleSuite } from "@keybuzz/runner/testing";
import { sysctl } from "./sysctl.ts";

moduleSuite(sysctl, import.meta.url);

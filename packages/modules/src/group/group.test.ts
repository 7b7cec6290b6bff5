import { moduleSuite } from "@keybuzz/runner/testing";
import { group } from "./group.ts";

moduleSuite(group, import.meta.url);

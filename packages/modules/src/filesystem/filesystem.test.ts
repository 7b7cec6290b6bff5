import { moduleSuite } from "@keybuzz/runner/testing";
import { filesystem } from "./filesystem.ts";

moduleSuite(filesystem, import.meta.url);

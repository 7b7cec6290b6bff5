import { moduleSuite } from "@keybuzz/runner/testing";
import { directory } from "./directory.ts";

moduleSuite(directory, import.meta.url);

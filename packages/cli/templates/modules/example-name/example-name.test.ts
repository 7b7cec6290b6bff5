import { moduleSuite } from "@keybuzz/runner/testing";
import { exampleName } from "./example-name.ts";

moduleSuite(exampleName, import.meta.url);

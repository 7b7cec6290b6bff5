import { moduleSuite } from "@keybuzz/runner/testing";
import { command } from "./command.ts";

moduleSuite(command, import.meta.url);

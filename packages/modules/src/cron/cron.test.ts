import { moduleSuite } from "@keybuzz/runner/testing";
import { cron } from "./cron.ts";

moduleSuite(cron, import.meta.url);

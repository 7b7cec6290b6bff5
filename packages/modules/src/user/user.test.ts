import { moduleSuite } from "@keybuzz/runner/testing";
import { user } from "./user.ts";

moduleSuite(user, import.meta.url);

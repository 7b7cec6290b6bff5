import { moduleSuite } from "@keybuzz/runner/testing";
import { waitFor } from "./wait-for.ts";

moduleSuite(waitFor, import.meta.url);

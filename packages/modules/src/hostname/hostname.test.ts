import { moduleSuite } from "@keybuzz/runner/testing";
import { hostname } from "./hostname.ts";

moduleSuite(hostname, import.meta.url);

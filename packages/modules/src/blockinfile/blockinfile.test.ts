import { moduleSuite } from "@keybuzz/runner/testing";
import { blockinfile } from "./blockinfile.ts";

moduleSuite(blockinfile, import.meta.url);

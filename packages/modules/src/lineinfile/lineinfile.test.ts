import { moduleSuite } from "@keybuzz/runner/testing";
import { lineinfile } from "./lineinfile.ts";

moduleSuite(lineinfile, import.meta.url);

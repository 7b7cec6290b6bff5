import { moduleSuite } from "@keybuzz/runner/testing";
import { mount } from "./mount.ts";

moduleSuite(mount, import.meta.url);

import { moduleSuite } from "@keybuzz/runner/testing";
import { mysqlVariables } from "./mysql-variables.ts";

moduleSuite(mysqlVariables, import.meta.url);

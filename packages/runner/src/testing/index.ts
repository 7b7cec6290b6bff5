export { moduleSuite } from "./module-suite.ts";

export { readCase } from "./cases.ts";
export { localInventory } from "./local-inventory.ts";
export { moduleSuite } from "./module-suite.ts";

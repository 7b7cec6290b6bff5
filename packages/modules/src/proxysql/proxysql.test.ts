import { moduleSuite } from "@keybuzz/runner/testing";
import { proxysqlQueryRules } from "./query-rules.ts";
import { proxysqlServers } from "./servers.ts";
import { proxysqlUsers } from "./users.ts";
import { proxysqlVariables } from "./variables.ts";

moduleSuite(proxysqlServers, import.meta.url);
moduleSuite(proxysqlUsers, import.meta.url);
moduleSuite(proxysqlQueryRules, import.meta.url);
moduleSuite(proxysqlVariables, import.meta.url);

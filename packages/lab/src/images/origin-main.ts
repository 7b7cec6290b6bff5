/** Program: the origin of a lab. Argument: a JSON file, {@link OriginConfig}. */
import { readFileSync } from "node:fs";
import { LabError } from "../errors.ts";
import { createFileServer, createOrigin, type OriginConfig } from "./origin.ts";

const [configPath] = process.argv.slice(2);
if (configPath === undefined) throw new LabError("usage: origin-main CONFIG");
const config: OriginConfig = JSON.parse(readFileSync(configPath, "utf8"));
const certificate = { cert: readFileSync(config.certPath, "utf8"), key: readFileSync(config.keyPath, "utf8") };
createOrigin(config, certificate).listen(443, config.address);
createFileServer(config.directory).listen(config.filesPort, config.address);

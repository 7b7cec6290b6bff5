/** A lab's mirror as a process of its own: `node mirror-main.ts SOCKET`. It reads the machine's package sources itself. */
import { rmSync } from "node:fs";
import { LabError } from "../errors.ts";
import { readMachinePackages } from "./machine.ts";
import { createMirror } from "./mirror.ts";

const [socket] = process.argv.slice(2);
if (socket === undefined) throw new LabError("usage: mirror-main SOCKET");
const { mirrorOptions } = await readMachinePackages();
rmSync(socket, { force: true });
createMirror(mirrorOptions).listen(socket);

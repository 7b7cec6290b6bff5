import { createSocket, type Socket } from "node:dgram";
import { createServer, type Server } from "node:net";
import { performance } from "node:perf_hooks";

/** What a link does to the frames that pass it. */
export interface LinkQuality {
  /** Milliseconds that a frame and its answer spend on the link together: half of it each way. 0 to 10,000. */
  readonly rttMs: number;
  /** Share of the frames that get lost, each way, in percent; default 0. */
  readonly dropPercent?: number;
  /** Nothing passes at all; default false. */
  readonly cut?: boolean;
}

/** Where a relay listens and whom it talks to: UDP ports of one loopback address of the switch's namespace. */
export interface RelayOptions {
  readonly address: string;
  /** Unix socket that takes a new {@link LinkQuality} as one line of JSON, and answers with the one in force. */
  readonly control: string;
  readonly quality: LinkQuality;
}

/** The UDP ports of a link: each side's program, and the relay's port towards it. */
export const RELAY_PORTS = { near: 7001, towardsNear: 7002, towardsFar: 7003, far: 7004 } as const;

/** Room for a burst at full speed while the relay waits for its turn on the processor. */
const BUFFER_BYTES = 8 * 1024 * 1024;
/** Frames that would be due within this time go at once: a timer cannot meet it more closely. */
const TIMER_SLACK_MS = 0.5;

/** Hold back, lose or cut the frames between two UDP ports, as the quality in force says, keeping their order. */
export async function startRelay(options: RelayOptions): Promise<void> {
  let { quality } = options;
  const near = await boundSocket(options.address, RELAY_PORTS.towardsNear);
  const far = await boundSocket(options.address, RELAY_PORTS.towardsFar);
  const current = () => quality;
  const toFar = delayLine(current, (frame) => far.send(frame, RELAY_PORTS.far, options.address));
  const toNear = delayLine(current, (frame) => near.send(frame, RELAY_PORTS.near, options.address));
  near.on("message", toFar);
  far.on("message", toNear);
  controlServer(current, (wanted) => {
    quality = wanted;
  }).listen(options.control);
}

/** A queue that hands each frame on when its time has come. */
export function delayLine(quality: () => LinkQuality, send: (frame: Buffer) => void): (frame: Buffer) => void {
  const queue: { readonly frame: Buffer; readonly due: number }[] = [];
  let timer: NodeJS.Timeout | undefined;
  let lastDue = 0;
  const flush = () => {
    timer = undefined;
    const now = performance.now() + TIMER_SLACK_MS;
    let due = 0;
    while (due < queue.length && (queue[due]?.due ?? Number.POSITIVE_INFINITY) <= now) due += 1;
    for (const { frame } of queue.splice(0, due)) send(frame);
    const next = queue[0];
    if (next !== undefined) timer = setTimeout(flush, Math.max(1, Math.floor(next.due - performance.now())));
  };
  return (frame) => {
    const { rttMs, dropPercent = 0, cut = false } = quality();
    if (cut || Math.random() * 100 < dropPercent) return;
    // Never before the frame ahead of it, also when the distance has just become shorter.
    lastDue = Math.max(lastDue, performance.now() + rttMs / 2);
    queue.push({ frame, due: lastDue });
    if (timer === undefined) flush();
  };
}

function controlServer(current: () => LinkQuality, change: (wanted: LinkQuality) => void): Server {
  return createServer((connection) => {
    connection.on("error", () => connection.destroy());
    connection.on("data", (line) => {
      const wanted = line.toString().trim();
      if (wanted !== "") change(JSON.parse(wanted) as LinkQuality);
      connection.end(JSON.stringify(current()));
    });
  });
}

function boundSocket(address: string, port: number): Promise<Socket> {
  const socket = createSocket({ type: "udp4", recvBufferSize: BUFFER_BYTES, sendBufferSize: BUFFER_BYTES });
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(port, address, () => {
      socket.off("error", reject);
      // The other side is not there yet, or no more: its frames are lost, as on a cable that is not plugged in.
      socket.on("error", () => undefined);
      resolve(socket);
    });
  });
}

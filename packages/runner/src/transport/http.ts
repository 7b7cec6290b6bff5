import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";

/** A request to an HTTP API. */
export interface HttpRequest {
  readonly url: URL;
  readonly method: "GET" | "POST";
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Certificates in PEM that are trusted in place of the system's. */
  readonly ca?: string;
  /** Name that the server's certificate has to be for, where it is not the URL's. */
  readonly serverName?: string;
  /** Milliseconds for the whole exchange. */
  readonly timeoutMs: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
  /** Where the server sends us instead. */
  readonly location: string | undefined;
}

const MAX_BYTES = 4 * 1024 * 1024;

/**
 * One exchange with an HTTP API. Certificates are always verified. (Node's fetch takes no certificates for one request.)
 * Rejects with the system's error where there is no answer, or none in time.
 */
export function askHttp(asked: HttpRequest): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const send = asked.url.protocol === "https:" ? requestHttps : requestHttp;
    const request = send(
      asked.url,
      {
        method: asked.method,
        headers: asked.headers,
        signal: AbortSignal.timeout(asked.timeoutMs),
        // No connection is kept: it would keep the process.
        agent: false,
        ...(asked.ca === undefined ? {} : { ca: asked.ca }),
        ...(asked.serverName === undefined ? {} : { servername: asked.serverName }),
      },
      (response) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on("data", (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > MAX_BYTES) response.destroy(new Error(`the answer is longer than ${MAX_BYTES} bytes`));
          else chunks.push(chunk);
        });
        response.once("error", reject);
        response.once("end", () => {
          const body = Buffer.concat(chunks).toString("utf8");
          resolve({ status: response.statusCode ?? 0, body, location: response.headers.location });
        });
      },
    );
    request.once("error", (cause) => {
      const isLate = cause.name === "AbortError" || cause.name === "TimeoutError";
      reject(isLate ? new Error(`no answer within ${asked.timeoutMs / 1000} s`) : cause);
    });
    request.end(asked.body);
  });
}

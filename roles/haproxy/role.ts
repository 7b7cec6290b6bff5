import { apt, service, sysctl, template, waitFor } from "@keybuzz/modules";
import { defineRole, sh } from "@keybuzz/runner";
import * as z from "zod";

const CONFIG = "/etc/haproxy/haproxy.cfg";

/** What each load balancer declares. */
export const LoadBalancerHost = z.object({
  /** Address of the entry point, if it is not the one that the host is managed at. */
  entry_point: z.ipv4().optional(),
});

/** The self-hosted entry point: HAProxy in front of the proxies, where no load balancer of the provider is. */
export const haproxy = defineRole({
  name: "haproxy",
  summary: "One address for ERPNext, in front of the proxies that can reach a writable node",
  params: z.strictObject({
    backends: z
      .array(z.strictObject({ name: z.string(), address: z.ipv4(), port: z.int().default(3306) }))
      .min(1)
      .describe("The proxies"),
    port: z.int().min(1).max(65535).default(3306).describe("Port of the entry point"),
    healthPort: z.int().min(1).max(65535).default(9200).describe("Port of the health agent on the proxies"),
    maxConnections: z
      .int()
      .min(10)
      .default(2000)
      .describe("Client connections at once; more wait in the kernel's queue"),
  }),
  host: LoadBalancerHost,
  async run({ hosts, params }) {
    await hosts.ensure((host) => {
      const address = host.vars.entry_point ?? host.address;
      return [
        apt({ name: ["haproxy", "socat"], install_recommends: false }),
        // The address may come (keepalived) and go while HAProxy stays up.
        sysctl({ name: "net.ipv4.ip_nonlocal_bind", value: 1, sysctl_file: "/etc/sysctl.d/60-keybuzz-haproxy.conf" }),
        template({
          src: new URL("templates/haproxy.cfg.ejs", import.meta.url),
          dest: CONFIG,
          vars: { ...params, bindAddress: address },
          mode: "0644",
          owner: "root",
          group: "root",
          validate: sh`haproxy -c -q -f "$KB_FILE"`,
        }),
        service({
          name: "haproxy",
          state: "started",
          enabled: true,
          reloadedAfter: [CONFIG],
          ready: { test: sh`[ -S /run/haproxy/admin.sock ]`, timeoutMs: 10_000, what: "HAProxy's admin socket" },
        }),
      ];
    });
  },
});

/** Proves that the entry point leads to a node that takes writes. */
export const haproxyProof = defineRole({
  name: "haproxy_proof",
  summary: "Waits until the entry point has a proxy that reaches a writable node",
  params: z.strictObject({}),
  host: z.object({}),
  async run({ hosts }) {
    await hosts.ensure([
      waitFor({
        test: sh`printf 'show servers state proxysql\n' | socat - UNIX-CONNECT:/run/haproxy/admin.sock | awk 'NR > 2 && $6 == 2 { up = 1 } END { exit !up }'`,
        what: "a proxy that reaches a writable node",
        timeoutMs: 30_000,
        onTimeout: sh`printf 'show stat proxysql 4 -1\n' | socat - UNIX-CONNECT:/run/haproxy/admin.sock | cut -d, -f2,18,37,57`,
      }),
    ]);
  },
});

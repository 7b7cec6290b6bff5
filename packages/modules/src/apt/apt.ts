import { defineModule, exec, mapProbe, type Probe, probeAll } from "@keybuzz/runner";
import * as z from "zod";
import { packageRecord } from "../probes/dpkg.ts";
import { candidates, indexAge } from "./candidates.ts";
import { installScript, removeScript } from "./scripts.ts";
import { describePackage, parseWish, wantedPackage } from "./wishes.ts";

const packageName = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9+.-]+(:[a-z0-9-]+)?(=[A-Za-z0-9.+~:*?-]+)?$/,
    "must be a package, as vim, vim=2:9.1.1230-2, vim=2:9* or libc6:amd64",
  );

const params = z
  .strictObject({
    name: z
      .union([packageName, z.array(packageName).min(1)])
      .describe("Package or packages, each with an optional `=version`, which may hold `*` and `?`"),
    state: z
      .enum(["present", "latest", "absent"])
      .default("present")
      .describe(
        "`present`: installed; `latest`: at the newest version that the package index knows; `absent`: not installed",
      ),
    purge: z.boolean().default(false).describe("With `absent`: remove the configuration files too"),
    install_recommends: z.boolean().default(true).describe("Install recommended packages as well"),
    allow_downgrade: z.boolean().default(false).describe("Go back to an older version where `=version` asks for one"),
    cache_valid_time: z
      .int()
      .min(0)
      .default(86_400)
      .describe(
        "Seconds for which the package index is good. An older one is refreshed before anything is installed; with " +
          "`latest`, that it is old is a difference by itself",
      ),
    timeoutMs: z
      .int()
      .positive()
      .default(900_000)
      .describe("Milliseconds that apt may take in all, waiting for locks included"),
  })
  .refine(({ purge, state }) => !purge || state === "absent", { path: ["purge"], message: "needs state absent" });

type AptState = {
  /** Installed version, `absent`, or dpkg's word for something in between. */
  readonly packages: { readonly [name: string]: string };
  /** With `latest` alone: whether the index can be trusted, and what it offers. */
  readonly index?: "fresh" | "stale";
  readonly newest?: { readonly [name: string]: string };
};

type Given = z.output<typeof params>;

/**
 * Packages from the host's package sources. The index is refreshed only inside an action: where it is older than
 * `cache_valid_time`, or where it turns out to lack a package. An interrupted dpkg is repaired first.
 *
 * @see https://manpages.debian.org/trixie/apt/apt-get.8.en.html
 */
export const apt = defineModule({
  name: "apt",
  summary: "Install, upgrade or remove Debian packages",
  params,
  id: ({ name }) => [name].flat().join(", "),
  probe,
  desired: (given: Given, current: AptState | null): AptState => ({
    ...(given.state === "latest" ? { index: "fresh", newest: current?.newest ?? {} } : {}),
    packages: Object.fromEntries(
      wishesOf(given).map((wish) => {
        const now = current?.packages[wish.name] ?? "absent";
        return [wish.name, wantedPackage(wish, given.state, now, current?.newest?.[wish.name])];
      }),
    ),
  }),
  plan({ params: given, current, wanted }) {
    const { timeoutMs } = given;
    // An old index hides which packages are outdated: apt is to look at all of them once it is fresh.
    const all = given.state === "latest" && current?.index !== "fresh";
    const differing = wishesOf(given).filter(
      ({ name }) => all || (current?.packages[name] ?? "absent") !== wanted?.packages[name],
    );
    const names = differing.map(({ name }) => name);
    if (given.state === "absent")
      return [
        exec(removeScript(names, given.purge), {
          timeoutMs,
          what: `apt-get ${given.purge ? "purge" : "remove"} ${names.join(" ")}`,
        }),
      ];
    const install = installScript({
      names,
      wishes: differing.map(({ name, version }) => (version === undefined ? name : `${name}=${version}`)),
      recommends: given.install_recommends,
      allowDowngrade: given.allow_downgrade,
      cacheValidSeconds: given.cache_valid_time,
    });
    return [exec(install, { timeoutMs, what: `apt-get install ${names.join(" ")}` })];
  },
  touches: (given) => wishesOf(given).map(({ name }) => `package:${name}`),
});

function probe(given: Given): Probe<AptState> {
  const names = wishesOf(given).map(({ name }) => name);
  const records = probeAll(Object.fromEntries(names.map((name) => [name, packageRecord(name)])));
  const packages = mapProbe(records, (found) =>
    Object.fromEntries(Object.entries(found).map(([name, record]) => [name, describePackage(record, given.purge)])),
  );
  if (given.state !== "latest") return mapProbe(packages, (found) => ({ packages: found }));
  return probeAll({ packages, index: indexAge(given.cache_valid_time), newest: candidates(names) });
}

function wishesOf({ name }: Given) {
  return [name].flat().map(parseWish);
}

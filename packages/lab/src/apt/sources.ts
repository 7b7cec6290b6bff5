import { isIP } from "node:net";
import { LabError } from "../errors.ts";

/** One `deb` entry of the machine's package sources. */
export interface AptSource {
  readonly uris: readonly string[];
  readonly suites: readonly string[];
  readonly components: readonly string[];
}

/** Where Debian's packages come from: two archives, which may lie on one server. */
export interface DebianMirror {
  /** Archive of the release itself, for example `http://mirror.example/debian`. */
  readonly main: string;
  /** Archive of its security updates, where the machine has one. */
  readonly security?: string;
}

/**
 * Read the entries of one source file, in either of apt's formats: one line each (`.list`) or stanzas (`.sources`).
 * Entries that are disabled, or hold sources only, are left out.
 *
 * @see https://manpages.debian.org/trixie/apt/sources.list.5.en.html
 */
export function parseSources(text: string, format: "list" | "sources"): readonly AptSource[] {
  return format === "list" ? parseLines(text) : parseStanzas(text);
}

function parseLines(text: string): readonly AptSource[] {
  return text.split("\n").flatMap((line) => {
    const words = line
      .replace(/#.*/, "")
      .replace(/\[[^\]]*\]/, " ")
      .split(/\s+/)
      .filter(Boolean);
    const [type, uri, suite, ...components] = words;
    if (type !== "deb" || uri === undefined || suite === undefined) return [];
    return [{ uris: [uri], suites: [suite], components }];
  });
}

function parseStanzas(text: string): readonly AptSource[] {
  const withoutComments = text.replace(/^#.*\n?/gm, "");
  return withoutComments.split(/\n\s*\n/).flatMap((stanza) => {
    const fields = new Map<string, readonly string[]>();
    // A line that begins with white space goes on with the field before it.
    for (const field of stanza.replace(/\n[ \t]+/g, " ").split("\n")) {
      const [, name, value] = /^([A-Za-z-]+):(.*)$/.exec(field) ?? [];
      if (name !== undefined && value !== undefined) {
        fields.set(name.toLowerCase(), value.split(/\s+/).filter(Boolean));
      }
    }
    if (fields.get("enabled")?.[0]?.toLowerCase() === "no") return [];
    if (!(fields.get("types") ?? []).includes("deb")) return [];
    return [
      {
        uris: fields.get("uris") ?? [],
        suites: fields.get("suites") ?? [],
        components: fields.get("components") ?? [],
      },
    ];
  });
}

/**
 * The Debian mirror that the machine itself uses, or the one named by `override` (the main archive's URL).
 *
 * @throws {LabError} when the machine names none that the lab can use.
 */
export function chooseMirror(sources: readonly AptSource[], codename: string, override?: string): DebianMirror {
  const archive = (suite: string) =>
    sources
      .filter(({ suites, components }) => suites.includes(suite) && components.includes("main"))
      .flatMap(({ uris }) => uris)
      .map((uri) => uri.replace(/\/+$/, ""))
      .find((uri) => /^https?:\/\/[^/]+\//.test(`${uri}/`));
  const main = override?.replace(/\/+$/, "") ?? archive(codename);
  if (main === undefined || !/^https?:\/\//.test(main)) {
    throw new LabError(
      `the machine's package sources name no http(s) mirror of Debian for "${codename}": ` +
        "set KB_LAB_MIRROR to one, for example http://MIRROR/debian",
      { exitCode: 2 },
    );
  }
  const security = override === undefined ? archive(`${codename}-security`) : undefined;
  return security === undefined ? { main } : { main, security };
}

/** A server that the relay fetches from, and the name under which the hosts ask for it. */
export interface Upstream {
  /** Name in the hosts' package sources, which their /etc/hosts leads to the relay. */
  readonly name: string;
  /** Scheme, host and port of the real server. */
  readonly origin: string;
}

/** The servers behind a mirror, and its archives' URLs as the hosts see them: plain HTTP on port 80. */
export function seenByHosts(mirror: DebianMirror): {
  readonly mirror: DebianMirror;
  readonly upstreams: readonly Upstream[];
} {
  const upstreams = new Map<string, Upstream>();
  const visible = (archive: string) => {
    const { origin, hostname, pathname } = new URL(archive);
    const known = [...upstreams.values()].find((upstream) => upstream.origin === origin);
    // A bare address has no entry in /etc/hosts, and two servers on one host need two names.
    const plain = isIP(hostname.replace(/[[\]]/g, "")) === 0 && !upstreams.has(hostname);
    const name = known?.name ?? (plain ? hostname : `packages-${upstreams.size + 1}.lab`);
    upstreams.set(name, { name, origin });
    return `http://${name}${pathname}`;
  };
  const main = visible(mirror.main);
  const seen: DebianMirror = mirror.security === undefined ? { main } : { main, security: visible(mirror.security) };
  return { mirror: seen, upstreams: [...upstreams.values()] };
}

/** The HTTP proxy in the output of `apt-config dump`, or undefined when apt goes straight to its servers. */
export function parseProxy(aptConfig: string): string | undefined {
  const value = /^Acquire::http::Proxy "([^"]*)";$/im.exec(aptConfig)?.[1];
  return value === undefined || value === "" || value.toUpperCase() === "DIRECT" ? undefined : value;
}

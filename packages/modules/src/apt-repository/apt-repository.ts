import { defineModule, exec, type Probe, probeAll, type Sh, sh, shLines } from "@keybuzz/runner";
import * as z from "zod";
import { APT_GET } from "../packaging/apt-get.ts";
import { fileText } from "../probes/file-text.ts";
import { pathFacts } from "../probes/path-facts.ts";
import { parseStanzas, renderStanza, type Stanza } from "./deb822.ts";

const word = z.string().regex(/^\S+$/, "must be one word");

const params = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9_-][A-Za-z0-9_.-]*$/, "must be a file name")
      .describe("Name of the file below /etc/apt/sources.list.d, without its .sources"),
    uris: z
      .array(z.string().regex(/^[a-z]+:\/?\S+$/, "must be a URI"))
      .min(1)
      .optional()
      .describe("Where the repository is; needed unless absent"),
    suites: z
      .array(word)
      .min(1)
      .optional()
      .describe("Releases, as trixie, or a path that ends with / for a flat repository; needed unless absent"),
    components: z.array(word).default([]).describe("Parts of a release, as main; none for a flat repository"),
    types: z
      .array(z.enum(["deb", "deb-src"]))
      .min(1)
      .default(["deb"])
      .describe("Binary packages, source packages or both"),
    architectures: z.array(word).default([]).describe("As amd64; the host's own unless given"),
    signed_by: z
      .string()
      .regex(/^(\/\S+|-----BEGIN PGP PUBLIC KEY BLOCK-----[\s\S]+-----END PGP PUBLIC KEY BLOCK-----\s*)$/, {
        message: "must be an ASCII-armored public key, or the path of a keyring on the host",
      })
      .optional()
      .describe(
        "The key that signs it: the text of an ASCII-armored public key, read by the controller, since hosts may have no " +
          "way out, or the path of a keyring on the host; needed unless absent",
      ),
    state: z.enum(["present", "absent"]).default("present").describe("Whether the host uses it"),
    timeoutMs: z.int().positive().default(300_000).describe("Milliseconds that fetching its index may take"),
  })
  .refine(({ state, uris, suites, signed_by }) => state === "absent" || (uris && suites && signed_by), {
    message: "uris, suites and signed_by are needed unless state is absent",
  })
  .refine(({ suites = [], components }) => suites.every((suite) => suite.endsWith("/") === (components.length === 0)), {
    path: ["components"],
    message: "are needed for a release as trixie, and must be left out for a path that ends with /",
  });

type Given = z.output<typeof params>;

type RepositoryState = {
  readonly stanzas: readonly Stanza[];
  readonly mode: string;
};

/**
 * A source of packages with the key that signs it, in one deb822 file (apt 2.4 and later: Debian 12, Ubuntu 22.04). Its
 * index is fetched before the file takes its place, so that a wrong address, suite or key never gets in apt's way, and a
 * run that was cut off leaves nothing half done.
 *
 * @see https://manpages.debian.org/trixie/apt/sources.list.5.en.html
 */
export const aptRepository = defineModule({
  name: "apt_repository",
  summary: "Use a package repository, with the key that signs it",
  params,
  id: ({ name }) => name,
  probe(given): Probe<RepositoryState | null> {
    const parts = probeAll({ facts: pathFacts(pathOf(given)), text: fileText(pathOf(given)) });
    return {
      questions: parts.questions,
      parse(outputs) {
        const { facts, text } = parts.parse(outputs);
        if (facts === null) return null;
        return { stanzas: parseStanzas(text ?? ""), mode: facts.kind === "file" ? facts.mode : facts.kind };
      },
    };
  },
  desired(given): RepositoryState | null {
    if (given.state === "absent") return null;
    return { stanzas: parseStanzas(render(given)), mode: "0644" };
  },
  plan({ params: given }) {
    const path = pathOf(given);
    if (given.state === "absent") return [exec(sh`rm -f -- ${path}`)];
    const owner = { owner: "root", group: "root" };
    return [{ kind: "write", path, content: render(given), mode: "0644", ...owner, validate: tryOut(given) }];
  },
  touches: (given) => [`file:${pathOf(given)}`],
  document: {
    probe: (given) => fileText(pathOf(given)),
    wanted: (given) => (given.state === "absent" ? null : render(given)),
  },
});

function pathOf({ name }: Given): string {
  return `/etc/apt/sources.list.d/${name}.sources`;
}

function render({ types, uris = [], suites = [], components, architectures, signed_by = "" }: Given): string {
  const list = (name: string, words: readonly string[]): Stanza =>
    words.length === 0 ? {} : { [name]: words.join(" ") };
  return renderStanza({
    ...list("Types", types),
    ...list("URIs", uris),
    ...list("Suites", suites),
    ...list("Components", components),
    ...list("Architectures", architectures),
    "Signed-By": signed_by,
  });
}

/**
 * Fetches the candidate's index alone, and lets apt read it together with the host's other sources: two files that name
 * one repository with different keys would stop apt altogether.
 */
function tryOut(given: Given): Sh {
  const seconds = Math.ceil(given.timeoutMs / 1000);
  return shLines([
    APT_GET,
    sh`kb_dir=$(mktemp -d) && mkdir "$kb_dir/parts" && chmod -R 0755 "$kb_dir" || exit 1
trap 'rm -rf -- "$kb_dir"' EXIT
for kb_source in /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
  [ ! -e "$kb_source" ] || [ "$kb_source" = ${pathOf(given)} ] || cp -- "$kb_source" "$kb_dir/parts/" || exit 1
done
cp -- "$KB_FILE" "$kb_dir/parts/"${`${given.name}.sources`} || exit 1
kb_said=$(apt-get -o Dir::Etc::sourceparts="$kb_dir/parts" indextargets 2>&1) || {
  # Without the keys that apt repeats in full.
  printf '%s\n' "$kb_said" | grep '^E: ' >&2; exit 100
}
kb_fetch_index -o Acquire::http::Timeout=${seconds} -o Acquire::https::Timeout=${seconds} -o Acquire::Retries=1 \
  -o APT::Get::List-Cleanup=0 -o Dir::Etc::sourceparts=- \
  -o Dir::Etc::sourcelist="$kb_dir/parts/"${`${given.name}.sources`}`,
  ]);
}

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { shownPath } from "../shown-path.ts";
import { CommandLineError } from "../usage-error.ts";
import { formsOf, type NameForms, withName } from "./names.ts";

/** What can be begun with `kb new`. */
export const KINDS = ["role", "module", "playbook", "inventory", "project"] as const;

export type Kind = (typeof KINDS)[number];

/** What was written, and what comes next. */
export interface Scaffold {
  /** As a person would type them. */
  readonly files: readonly string[];
  readonly next: readonly string[];
}

/** The scaffolds are a project that works as it is: its name is `example-name`. */
const TEMPLATES = fileURLToPath(new URL("../../../templates", import.meta.url));

/** Which of its files belong to a kind. Names that begin with `_` lose it: npm and editors would act on the real ones. */
const PARTS: Readonly<Record<Kind, RegExp>> = {
  role: /^roles\//,
  module: /^modules\//,
  playbook: /^playbooks\/example-name\.ts$/,
  inventory: /^inventories\//,
  project: /^(?:_|README|inventories\/|playbooks\/site\.ts|roles\/)/,
};

/**
 * Writes the beginning of something, which passes its own tests.
 * @throws CommandLineError, before anything is written, for a name that does not do and for a file that is there already
 */
export function scaffold(kind: Kind, name: string, directory: string): Scaffold {
  const forms = formsOf(name);
  const root = kind === "project" ? join(directory, forms.kebab) : directory;
  const files = listTemplates()
    .filter((path) => PARTS[kind].test(path))
    .map((path) => ({ from: join(TEMPLATES, path), to: join(root, placeOf(path, root, forms)) }));
  const there = files.find(({ to }) => existsSync(to));
  if (there !== undefined) {
    throw new CommandLineError(`${shownPath(there.to, directory)} is there already; nothing was written`, {
      hint: "choose another name, or remove it first",
    });
  }
  for (const { from, to } of files) {
    mkdirSync(dirname(to), { recursive: true });
    writeFileSync(to, withName(readFileSync(from, "utf8"), forms), { flag: "wx" });
  }
  const written = files.map(({ to }) => shownPath(to, directory));
  return { files: written, next: nextSteps(kind, forms, written) };
}

function listTemplates(): readonly string[] {
  return readdirSync(TEMPLATES, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(TEMPLATES.length + 1))
    .toSorted();
}

function placeOf(path: string, root: string, forms: NameForms): string {
  const place = withName(path, forms).replace(/(^|\/)_/, (_, before: string) =>
    /gitignore$/.test(path) ? `${before}.` : before,
  );
  // In the runner's own repository modules stand together in a package.
  const ours = join("packages", "modules", "src");
  return existsSync(join(root, ours, "index.ts")) ? place.replace(/^modules/, ours) : place;
}

function nextSteps(
  kind: Kind,
  { kebab, camel, pascal, snake }: NameForms,
  files: readonly string[],
): readonly string[] {
  const [first = ""] = files;
  switch (kind) {
    case "role":
      return [
        `say what it is for in roles/${kebab}/README.md, and what it does in roles/${kebab}/role.ts`,
        `use it in a playbook: import { ${pascal}Host, ${camel} } from "../roles/${kebab}/role.ts"`,
        `npx vitest run roles/${kebab}`,
      ];
    case "module": {
      const folder = dirname(files.find((file) => file.endsWith(`${kebab}.ts`)) ?? first);
      return [
        `say how it is read, what is wanted and what to do about it in ${folder}/${kebab}.ts`,
        `replace the cases by outputs of real hosts; KB_UPDATE_CASES=1 npx vitest run ${folder} fills in what they expect`,
        ...(folder.startsWith("packages/")
          ? [`export { ${camel} } from packages/modules/src/index.ts; kb module show ${snake} then tells of it`]
          : [`use it in a playbook: import { ${camel} } from "../${folder}/${kebab}.ts"`]),
      ];
    }
    case "playbook":
      return [
        `kb new inventory ${kebab}, where there is none with a group "web" yet`,
        `kb check ${kebab} -i inventories/${kebab}.yml`,
        `kb play ${kebab} -i inventories/${kebab}.yml --check --diff`,
      ];
    case "inventory":
      return [`put in your own hosts: ${first}`, `kb inventory -i ${first} --vars`, `kb ping -i ${first}`];
    case "project":
      return [
        `cd ${kebab} && npm install`,
        `put in your own hosts: inventories/${kebab}.yml`,
        "npx kb check site",
        "npx kb play site --check --diff",
      ];
  }
}

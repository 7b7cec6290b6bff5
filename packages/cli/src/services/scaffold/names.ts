import { CommandLineError } from "../usage-error.ts";

const MAX_LENGTH = 30;

/** Words of JavaScript, and what the scaffolds themselves use: a name of these would not compile, or hide something. */
const TAKEN: ReadonlySet<string> = new Set(
  `arguments await break case catch class const continue debugger default delete do else enum eval export extends false
  finally for function if implements import in instanceof interface let new null package private protected public return
  static super switch this throw true try typeof undefined var void while with yield
  ask sh z file directory template hosts host params web expect it rehearse site`.split(/\s+/),
);

/** One name in the forms that code needs: `time-zone`, `timeZone`, `TimeZone`, `time_zone`. */
export interface NameForms {
  readonly kebab: string;
  readonly camel: string;
  readonly pascal: string;
  readonly snake: string;
}

/** @throws CommandLineError for a name that files, code or Ansible's users could not have */
export function formsOf(name: string): NameForms {
  const kebab = name.replaceAll("_", "-").replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  if (!/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/.test(kebab) || kebab.length > MAX_LENGTH) {
    throw new CommandLineError(`"${name}" is no name for this`, {
      hint: `small letters, digits and hyphens, a letter first, at most ${MAX_LENGTH}: time-zone`,
    });
  }
  const camel = kebab.replaceAll(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  if (TAKEN.has(camel)) throw new CommandLineError(`"${name}" is taken by the language or by what a scaffold uses`);
  return {
    kebab,
    camel,
    pascal: `${camel.charAt(0).toUpperCase()}${camel.slice(1)}`,
    snake: kebab.replaceAll("-", "_"),
  };
}

/** A scaffold's text, or path, with the name in place of its stand-in. */
export function withName(text: string, { kebab, camel, pascal, snake }: NameForms): string {
  return text
    .replaceAll("example-name", kebab)
    .replaceAll("exampleName", camel)
    .replaceAll("ExampleName", pascal)
    .replaceAll("example_name", snake);
}

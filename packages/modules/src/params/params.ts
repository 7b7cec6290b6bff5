import { revealText, Secret, Sh } from "@keybuzz/runner";
import * as z from "zod";
import type { Place } from "../text/line-edit.ts";

/** An absolute path without `.`, `..` or doubled slashes; a trailing slash is dropped. */
export function absolutePath(): z.ZodType<string, string> {
  return z
    .string()
    .regex(/^\//, "must be an absolute path")
    .refine((path) => !path.includes("\0"), "must not hold a NUL character")
    .refine((path) => !/\/\/|\/\.\.?(\/|$)/.test(path), "must not hold //, /./ or /../")
    .transform((path) => (path === "/" ? path : path.replace(/\/$/, "")));
}

/** Permission bits as octal text, `"0644"` or `"644"`; a number would be read as decimal, and is refused. */
export function fileMode(): z.ZodType<string, string> {
  return z
    .string()
    .regex(/^[0-7]{3,4}$/, 'must be octal permission bits as text, like "0644"')
    .transform((mode) => mode.padStart(4, "0"));
}

/** A user's or group's name or number, as chown(1) takes it. */
export function accountName(): z.ZodType<string, string> {
  return z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.@\\-]*\$?$/, "must be the name or number of an account");
}

/** Shell text made by the `sh` tag. */
export function shellText(): z.ZodType<Sh, Sh> {
  return z.custom<Sh>((value) => value instanceof Sh, "must be made by the sh`...` tag").meta({ title: "Sh" });
}

/** A text, or a {@link Secret}. */
export function textOrSecret(): z.ZodType<string | Secret, string | Secret> {
  return z.union([z.string(), z.instanceof(Secret)]);
}

/** What a program reads on its standard input. A shell, which hands it on, has no word for NUL. */
export function inputText(): z.ZodType<string | Secret, string | Secret> {
  return textOrSecret().refine((text) => !revealText(text).includes("\0"), "must not hold a NUL character");
}

/** One line of text. */
export function oneLine(): z.ZodString {
  return z.string().regex(/^[^\n\r\0]*$/, "must be one line");
}

/** A regular expression, as JavaScript's own or as its source text. */
export function pattern(): z.ZodType<RegExp, RegExp | string> {
  return z.union([z.instanceof(RegExp), z.string()]).transform((source, context): RegExp => {
    try {
      // Without g and y, which make a RegExp remember where it was.
      const flags = source instanceof RegExp ? source.flags.replace(/[gy]/g, "") : "";
      const expression = new RegExp(source instanceof RegExp ? source.source : source, flags);
      // One that is too large is found out when it is first used.
      expression.test("");
      return expression;
    } catch (error) {
      context.addIssue(error instanceof Error ? error.message : String(error));
      return z.NEVER;
    }
  });
}

/** The place of a new line, from the params `insertafter` and `insertbefore`. */
export function placeOf(given: {
  readonly insertafter?: RegExp | undefined;
  readonly insertbefore?: RegExp | "BOF" | undefined;
}): Place {
  if (given.insertbefore === "BOF") return { at: "start" };
  if (given.insertbefore !== undefined) return { before: given.insertbefore };
  return given.insertafter === undefined ? { at: "end" } : { after: given.insertafter };
}

/** A name that useradd(8) and groupadd(8) take; one made of digits alone would read as a number everywhere else. */
export function newAccountName(): z.ZodType<string, string> {
  return z.string().regex(/^[a-z_][a-z0-9_-]{0,30}\$?$/, "must be an account name: small letters, digits, _ and -");
}

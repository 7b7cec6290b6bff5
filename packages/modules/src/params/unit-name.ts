import * as z from "zod";

const SUFFIXES = "service|socket|target|timer|path|mount|automount|swap|slice|scope|device";

/**
 * A unit's name; `.service` is added where it has no suffix. A template needs its instance: `getty@tty1`.
 * @see https://www.freedesktop.org/software/systemd/man/latest/systemd.unit.html
 */
export function unitName(): z.ZodType<string, string> {
  return z
    .string()
    .regex(/^[A-Za-z0-9:_.\\-]+(@[A-Za-z0-9:_.\\@-]+)?$/, "must be the name of a systemd unit")
    .transform((name) => (new RegExp(`\\.(${SUFFIXES})$`).test(name) ? name : `${name}.service`));
}

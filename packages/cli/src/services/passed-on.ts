/**
 * The words that a command passes on: what follows `--` as it was given, since the parser moves words that come twice
 * together; without one, what the parser left.
 */
export function passedOn(given: readonly string[], parsed: readonly unknown[]): readonly string[] {
  const split = given.indexOf("--");
  return split < 0 ? parsed.map(String) : given.slice(split + 1);
}

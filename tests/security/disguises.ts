/** A secret that every escaping turns into another text. Password files take it: it has no blank and no colon. */
export const CANARY_SECRET = `kbCan4ry'"\\$&<%é;qTailOfIt7vZx0W9pLm`;

/** A text and all that escapings of other forms make of it. */
export function disguisesOf(secret: string): readonly string[] {
  const json = JSON.stringify(secret).slice(1, -1);
  return [
    ...new Set([
      secret,
      ...base64s(secret),
      Buffer.from(secret).toString("base64url"),
      Buffer.from(secret).toString("hex"),
      json,
      JSON.stringify(json).slice(1, -1),
      secret.replaceAll("'", "'\\''"),
      secret.replaceAll("'", `'"'"'`),
      secret.replace(/[\\"$`]/g, "\\$&"),
      encodeURIComponent(secret),
      secret.replaceAll("%", "%25"),
      secret.replaceAll("'", "''"),
      secret.replaceAll("\\", "\\\\").replaceAll("'", "''"),
      secret.replaceAll("\\", "\\\\").replaceAll('"', '\\"'),
      secret.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;"),
      secret.replaceAll("&", "&amp;").replaceAll("<", "&lt;"),
      // A part that no escaping changes.
      secret.slice(-16),
    ]),
  ];
}

/** Base64 of a text that stands in a longer one: what is the same wherever it begins, a byte or two left out at each end. */
function base64s(secret: string): readonly string[] {
  return [0, 1, 2].map((shift) =>
    Buffer.from("x".repeat(shift) + secret)
      .toString("base64")
      .slice(shift === 0 ? 0 : 4, -4),
  );
}

/** Which of the secret's forms a text holds. */
export function leaksIn(text: string, secret: string = CANARY_SECRET): readonly string[] {
  return disguisesOf(secret).filter((form) => text.includes(form));
}

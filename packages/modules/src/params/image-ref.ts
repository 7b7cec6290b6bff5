import * as z from "zod";

/**
 * A container image by tag or digest: `mariadb:11.8`, `registry.example:5000/app@sha256:...`. A bare name is refused: what
 * `latest` means changes from one day to the next. Docker Hub's own prefix is dropped, as Docker does.
 * @see https://pkg.go.dev/github.com/distribution/reference
 */
export function imageRef(): z.ZodType<string, string> {
  return z
    .string()
    .regex(
      /^[a-z0-9][A-Za-z0-9._-]*(:[0-9]+)?(\/[a-z0-9._-]+)*(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(@sha256:[0-9a-f]{64})?$/,
      "must be an image, as mariadb:11.8",
    )
    .refine((text) => /@sha256:|:[^/]+$/.test(text), "must name a tag or a digest, as mariadb:11.8")
    .transform(familiarRef);
}

/** An image's name as Docker shows it. */
export function familiarRef(text: string): string {
  return text.replace(/^(?:index\.)?docker\.io\//, "").replace(/^library\//, "");
}

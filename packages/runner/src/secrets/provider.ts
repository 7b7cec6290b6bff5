import type { Secret } from "../secret.ts";
import type { SecretDocument } from "./document.ts";

/** A place that secrets come from. */
export interface SecretProvider {
  /**
   * Reads what is at a location, all of it: references that differ in `#NAME` alone share one reading.
   * @throws SecretsError with what was tried, what came back and what to try, and nothing of a secret
   */
  read(location: string): Promise<SecretDocument>;
}

/** Asks the operator for a secret, without echo; undefined where there is nobody to ask. */
export type AskSecret = (question: string) => Promise<Secret | undefined>;

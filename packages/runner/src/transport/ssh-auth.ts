import type { AnyAuthMethod, AuthenticationType, AuthHandlerMiddleware, Prompt } from "ssh2";
import type { Secret } from "../secret.ts";
import type { Offer } from "./ssh-identities.ts";

/** How to authenticate. */
export interface Credentials {
  readonly user: string;
  readonly offers: readonly Offer[];
  readonly password: Secret | undefined;
  /** Answers what a host asks besides the password: a one-time code. Undefined where nobody can be asked. */
  readonly answer: ((question: string) => Promise<Secret | undefined>) | undefined;
}

/** A login under way: what ssh2 asks for the next method, and what was tried, for the error. */
export interface Login {
  readonly handler: AuthHandlerMiddleware;
  readonly tried: readonly string[];
  /** What the host would have taken at last. */
  readonly accepted: readonly string[];
}

/**
 * Keys first, which spares the round trip of the usual probe with `none`; then the password, once: by what the host
 * offers, and never by a second method after the first was refused. A wrong password must not lock an account.
 */
export function makeLogin({ user, offers, password, answer }: Credentials): Login {
  const tried: string[] = [];
  const accepted: string[] = [];
  const keys = [...offers];
  let asked = false;
  const interactive = (): AnyAuthMethod => ({
    type: "keyboard-interactive",
    username: user,
    prompt: (_name, _instructions, _lang, prompts, finish) => {
      void answerPrompts(prompts, password, answer).then(finish, () => finish([]));
    },
  });
  const next = (left: readonly AuthenticationType[] | null, partial: boolean): AnyAuthMethod | undefined => {
    const takes = (method: AuthenticationType): boolean => left === null || left.includes(method);
    const key = takes("publickey") ? keys.shift() : undefined;
    if (key !== undefined) {
      tried.push(`key ${key.label}`);
      return key.agent === undefined
        ? { type: "publickey", username: user, key: key.key }
        : { type: "agent", username: user, agent: key.agent };
    }
    if (left === null) return { type: "none", username: user };
    if (asked) return undefined;
    const canAnswer = password !== undefined || (partial && answer !== undefined);
    if (canAnswer && left.includes("keyboard-interactive")) {
      asked = true;
      tried.push("keyboard-interactive");
      return interactive();
    }
    if (password === undefined || !left.includes("password")) return undefined;
    asked = true;
    tried.push("password");
    return { type: "password", username: user, password: password.reveal() };
  };
  return {
    tried,
    accepted,
    handler: (left: readonly AuthenticationType[] | null, partial, done) => {
      if (left !== null) accepted.splice(0, accepted.length, ...left);
      // The second factor comes after the first was taken: what was asked before does not count.
      if (partial) asked = false;
      // ssh2 ends with `false`, which its types leave out.
      done(next(left, partial) ?? (false as never));
    },
  };
}

/** The password goes to the first question that is not shown while typing; others are a person's to answer. */
async function answerPrompts(
  prompts: readonly Prompt[],
  password: Secret | undefined,
  answer: Credentials["answer"],
): Promise<string[]> {
  const answers: string[] = [];
  let given = false;
  for (const { prompt, echo } of prompts) {
    const isPassword: boolean =
      password !== undefined && !given && !echo && !/code|token|otp|one.time|pin\b/i.test(prompt);
    given ||= isPassword;
    const reply: Secret | undefined = isPassword ? password : await answer?.(prompt);
    answers.push(reply?.reveal() ?? "");
  }
  return answers;
}

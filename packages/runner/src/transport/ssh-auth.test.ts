import type { AnyAuthMethod, AuthenticationType } from "ssh2";
import ssh2 from "ssh2";
import { describe, expect, it } from "vitest";
import { Secret } from "../secret.ts";
import { type Credentials, makeLogin } from "./ssh-auth.ts";
import type { Offer } from "./ssh-identities.ts";

const { private: pem } = ssh2.utils.generateKeyPairSync("ed25519");
const key = ssh2.utils.parseKey(pem);
if (key instanceof Error) throw key;
const offer = (label: string): Offer => ({ key, label });
const password = new Secret("pw");

/** Plays a server that takes these methods and refuses all of them; gives back what was tried, in order. */
function refuseAll(methods: readonly AuthenticationType[], given: Partial<Credentials>, partialAfter = -1): string[] {
  const login = makeLogin({ user: "root", offers: [], password: undefined, answer: undefined, ...given });
  const tried: string[] = [];
  for (let turn = 0; turn < 20; turn += 1) {
    let method: AnyAuthMethod | false | undefined;
    const left = turn === 0 ? null : [...methods];
    login.handler(left as AuthenticationType[], turn === partialAfter, (next) => {
      method = next as AnyAuthMethod | false;
    });
    if (!method) return tried;
    tried.push(method.type);
  }
  throw new Error(`never ends: ${tried.join(", ")}`);
}

describe("the order of ways to log in", () => {
  it.each([
    ["keys, and no probe before them", ["publickey"], { offers: [offer("a"), offer("b")] }, ["publickey", "publickey"]],
    ["a probe where there are no keys", ["publickey"], {}, ["none"]],
    [
      "the password after the keys",
      ["publickey", "password"],
      { offers: [offer("a")], password },
      ["publickey", "password"],
    ],
    [
      "the password by one method only",
      ["password", "keyboard-interactive"],
      { password },
      ["none", "keyboard-interactive"],
    ],
    ["no password where it is not taken", ["publickey"], { offers: [offer("a")], password }, ["publickey"]],
    ["no questions without a password", ["keyboard-interactive"], { answer: async () => password }, ["none"]],
  ] as const)("%s", (_what, methods, given, tried) => {
    expect(refuseAll(methods, given)).toEqual(tried);
  });

  it("asks for the second factor once the first is taken", () => {
    const given = { offers: [offer("a")], answer: async () => new Secret("123456") };
    expect(refuseAll(["keyboard-interactive"], given, 1)).toEqual(["publickey", "keyboard-interactive"]);
  });
});

it("gives the password to a hidden question, codes to a person, and nothing twice", async () => {
  const asked: string[] = [];
  const answer = async (question: string): Promise<Secret> => {
    asked.push(question);
    return new Secret("123456");
  };
  const login = makeLogin({ user: "root", offers: [], password, answer });
  let method: AnyAuthMethod | undefined;
  login.handler(["keyboard-interactive"], false, (next) => {
    method = next as AnyAuthMethod;
  });
  if (method?.type !== "keyboard-interactive") throw new Error("no questions are expected");
  const { prompt } = method;
  const prompts = [
    { prompt: "Verification code: ", echo: false },
    { prompt: "Password: ", echo: false },
    { prompt: "Your favourite: ", echo: true },
  ];
  const answers = await new Promise((resolve) => prompt("", "", "", prompts, resolve));
  expect(answers).toEqual(["123456", "pw", "123456"]);
  expect(asked).toEqual(["Verification code: ", "Your favourite: "]);
});

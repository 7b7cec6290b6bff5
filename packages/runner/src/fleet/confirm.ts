import type { ConfirmRequest } from "./member.ts";

/** Asks somebody whether a task is to be carried out. `continue` is yes, for this and for all that follow. */
export type Confirm = (step: ConfirmRequest) => Promise<"yes" | "no" | "continue">;

/** @internal One question at a time, and none after `continue`. */
export function makeConfirm(ask: Confirm): (step: ConfirmRequest) => Promise<boolean> {
  let asking: Promise<unknown> = Promise.resolve();
  let free = false;
  return (step) => {
    const answer = asking.then(async () => {
      if (free) return true;
      const said = await ask(step);
      free = said === "continue";
      return said !== "no";
    });
    asking = answer.catch(() => {});
    return answer;
  };
}

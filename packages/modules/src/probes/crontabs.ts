import { askBatch, type Batch, type Foreseen, type Probe, sh, type Unmet, unmet } from "@keybuzz/runner";
import { framedLeft, splitFramed, unframe } from "./file-text.ts";

/**
 * One crontab(1) a user, framed as files are: `-` where the user has none, `!` where the program is missing, `?` with what
 * it said otherwise.
 * @see https://manpages.debian.org/crontab.1
 */
const CRONTABS: Batch = {
  name: "crontab",
  render: (keys) => ({
    script: sh`for u in ${keys}; do
if ! command -v crontab >/dev/null; then echo '!'; continue; fi
if o=$(crontab -l -u "$u" 2>&1; r=$?; echo .; exit $r); then o=\${o%.}; echo +; printf %s "$o" | sed 's/^/=/'; printf '\n.\n'
else case $o in "no crontab for "*) echo -;; *) printf '?%s\n' "$o" | tr '\n' ' '; echo;; esac; fi
done`,
  }),
  split: (stdout, keys) => splitFramed(stdout, keys.length),
};

/** A user's crontab; `null` where there is none. */
export function crontab(user: string): Probe<string | null | Unmet> {
  return askBatch(CRONTABS, user, ({ stdout, stderr, exitCode }) => {
    if (stdout === "-\n") return null;
    if (stdout === "!\n") return unmet("crontab is not installed", "add the package cron");
    if (/^\?.*user `.*' unknown/.test(stdout))
      return unmet(`there is no user ${user}`, "add the task that makes the user");
    const text = exitCode === 0 ? unframe(stdout) : undefined;
    if (text?.includes("\uFFFD")) throw new Error(`the crontab of ${user} is no UTF-8 text; an edit would damage it`);
    if (text === undefined) {
      throw new Error(`crontab -l -u ${user} failed: ${stdout.replace(/^\?/, "").trim() || stderr.trim()}`);
    }
    return text;
  });
}

/** What the question for a user's crontab answers once it is this text. */
export function crontabLeft(user: string, text: string): Foreseen {
  return framedLeft(CRONTABS, user, text);
}

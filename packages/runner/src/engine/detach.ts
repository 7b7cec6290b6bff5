import { createHash } from "node:crypto";
import { type Sh, sh, shLines } from "../sh.ts";

/** Seconds in which a job that was started has to begin. */
const BEGIN_SECONDS = 30;

/**
 * Runs a script as a job of its own, which goes on when the connection is lost, and waits for its end. The same script
 * again finds the job that runs, or the result that nobody has taken yet, and starts no second one.
 *
 * A job is a folder of files that only its user can read, on a file system that does not outlive a boot:
 * `run` and `stdin` (taken away once it is read), `begun`, `out`, and `exit`, which is there when it has ended. The job
 * holds an flock(2) on `lock` while it runs; so the kernel says whether it does, however it ends.
 *
 * @see https://www.freedesktop.org/software/systemd/man/latest/systemd-run.html
 */
export function renderDetached(script: Sh, timeoutMs: number): Sh {
  const id = jobId(script);
  return shLines([
    sh`kb_jobs=/run/keybuzz-jobs; [ "$(id -u)" = 0 ] || kb_jobs=\${XDG_RUNTIME_DIR:-/tmp}/keybuzz-jobs-$(id -u)`,
    sh`umask 077; [ -d "$kb_jobs" ] || mkdir -- "$kb_jobs" || exit 1`,
    sh`cd -P -- "$kb_jobs" && kb_ours || { echo "$kb_jobs is not this user's own" >&2; exit 1; }`,
    // What nobody has taken for a day, since its task was found done in another way; names are digests.
    sh`rm -rf -- ./.gone.* $(find . -mindepth 2 -maxdepth 2 -name exit -mmin +1440 -printf '%h ')`,
    prepare(id, script, timeoutMs),
    sh`[ -e ${id}/begun ] || {`,
    start(id),
    sh`}`,
    follow(id),
  ]);
}

/** By what is run: another script is another job. What it reads may be a secret, of which not even a digest is shown. */
function jobId(script: Sh): string {
  return createHash("sha256").update(script.text).digest("hex").slice(0, 16);
}

/** All files are there before the folder has its name. */
function prepare(id: string, script: Sh, timeoutMs: number): Sh {
  const limit = Math.max(1, Math.ceil(timeoutMs / 1000));
  const job = shLines([
    sh`PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; LC_ALL=C; export PATH LC_ALL; umask 022`,
    sh`exec 8>lock </dev/null`,
    sh`flock -n 8 && [ ! -e begun ] || exit 0`,
    sh`: >begun; exec <stdin; rm -f stdin`,
    sh`kb_job=$PWD; cd /; timeout -k 10 ${limit} sh "$kb_job/run" >"$kb_job/out" 2>&1; kb_code=$?`,
    sh`cd "$kb_job" && echo "$kb_code" >exit.new && mv exit.new exit`,
  ]);
  const own = `.gone.${id}`;
  return shLines([
    // The task has just been found not done: a job that ended well before then is one whose work was undone since.
    sh`if [ "$(cat ${id}/exit 2>/dev/null)" = 0 ] && [ -n "$(find ${id}/exit -mmin +1)" ]; then`,
    sh`  mv -T -- ${id} ${own} && rm -rf -- ${own} || exit 1`,
    sh`fi`,
    sh`if [ ! -d ${id} ]; then`,
    sh`  mkdir -- ${own} && cat >${`${own}/stdin`} && : >${`${own}/out`} || exit 1`,
    sh`  printf '%s\n' ${`exec 8>&- 9>&-\n${script.text}`} >${`${own}/run`} || exit 1`,
    sh`  printf '%s\n' ${job.text} >${`${own}/job`} && mv -T -- ${own} ${id} || exit 1`,
    sh`fi`,
  ]);
}

/** Where a unit of the name is there already, a run that was killed has started it; the job sees to it that one runs. */
function start(id: string): Sh {
  const unit = `kb-${id}`;
  return sh`if [ -d /run/systemd/system ] && [ "$(id -u)" = 0 ]; then
  kb_said=$(systemd-run --quiet --collect --unit=${unit} --property=WorkingDirectory="$PWD/"${id} sh ./job 2>&1 9>&-) ||
    systemctl is-active --quiet ${unit} || { printf '%s\n' "$kb_said" >&2; exit 1; }
else
  ( cd ${id} && exec setsid sh ./job 9>&- >/dev/null 2>&1 ) &
fi`;
}

/** Prints what the job prints, until it has ended; then takes its result away. */
function follow(id: string): Sh {
  return sh`kb_at=0 kb_looks=0
while :; do
  kb_over=
  if [ -e ${id}/exit ]; then kb_over=1
  elif [ -e ${id}/begun ]; then
    # Free while it has begun and not ended: it was killed, unless it ended just now.
    if flock -n ${id}/lock true && [ ! -e ${id}/exit ]; then kb_over=killed; fi
  elif [ "$kb_looks" -gt ${BEGIN_SECONDS} ]; then
    echo ${`the job did not begin within ${BEGIN_SECONDS} s`} >&2; exit 1
  fi
  kb_size=$(stat -c %s ${id}/out)
  if [ "$kb_size" -gt "$kb_at" ]; then
    tail -c "+$((kb_at + 1))" ${id}/out | head -c "$((kb_size - kb_at))"; kb_at=$kb_size
  fi
  [ -z "$kb_over" ] || break
  if [ -e "$KB_STOP" ]; then
    echo "stopped waiting, as asked; the job goes on, and the same command again waits for it" >&2; exit 130
  fi
  # A sign of life, which nobody sees. Where the controller is gone it ends this, and not the job.
  kb_mark t
  if [ "$kb_looks" -lt 10 ]; then sleep 0.1; else sleep 1; fi; kb_looks=$((kb_looks + 1))
done
if [ "$kb_over" = killed ]; then echo "the job was killed on the host before it ended" >&2; kb_code=1
else kb_code=$(cat ${id}/exit); fi
mv -T -- ${id} ./.gone.${id} && rm -rf -- ./.gone.${id}
exit "$kb_code"`;
}

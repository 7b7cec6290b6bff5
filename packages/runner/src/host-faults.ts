const BUSY = "another package manager works on this host: run again when it has ended (ps -C apt,apt-get,dpkg)";

/** What programs say about a host in bad shape (the texts of errno(3), of apt and of shells), and what mends it. */
const FAULTS: readonly (readonly [said: RegExp, hint: string])[] = [
  [/Read-only file system/, "dmesg tells why it became read-only; once that is mended: mount -o remount,rw"],
  [/No space left on device|Disk quota exceeded/, "make room: df -h shows the space, df -i the inodes that are left"],
  [/Input\/output error/, "the disk fails: dmesg and smartctl -a tell more"],
  [/Cannot allocate memory|Out of memory/, "the host is out of memory: free -m, and dmesg for what was killed"],
  [/[Cc]ould not get lock|[Uu]nable to (?:acquire|lock)|[Ww]aiting for cache lock|locked by another process/, BUSY],
  [/dpkg was interrupted/, "dpkg --configure -a tells what stands in the way"],
  [
    /Operation not permitted/,
    "lsattr shows whether it is immutable (chattr -i); else more than this user's rights are needed",
  ],
  [/Permission denied/, "become: true where root is needed; a file system mounted noexec runs nothing"],
  [
    /can't cd to|cannot create .*: Directory nonexistent|No such file or directory/,
    "a directory task before it brings what is missing",
  ],
  [/: (?:command )?not found/, "an apt task before it brings the program"],
];

/** What to try next, from what came back; undefined where that says nothing about the host itself. */
export function hintFor(said: string): string | undefined {
  return FAULTS.find(([pattern]) => pattern.test(said))?.[1];
}

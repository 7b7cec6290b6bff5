/** What a shell completes of one command. */
export interface CompletedCommand {
  /** `play`, `module show` */
  readonly name: string;
  readonly summary: string;
  /** Names without dashes. */
  readonly flags: readonly string[];
}

export const SHELLS = ["bash", "zsh", "fish"] as const;

export type Shell = (typeof SHELLS)[number];

/** What follows a command, as a shell finds it out where it is typed. */
const FOLLOWS: readonly (readonly [commands: RegExp, words: string])[] = [
  [/^(?:play|check|plan|verify)$/, "ls playbooks 2>/dev/null | sed -n 's/\\.ts$//p'"],
  [/^module show$/, "kb module list 2>/dev/null | cut -d' ' -f1"],
  [/^new$/, "printf '%s\\n' role module playbook inventory project"],
];

/** A script that makes a shell complete commands, flags, playbooks and modules. */
export function completionScript(shell: Shell, commands: readonly CompletedCommand[]): string {
  if (shell === "fish") return fishScript(commands);
  // zsh reads bash's completions.
  return `${shell === "zsh" ? "autoload -U +X bashcompinit && bashcompinit\n" : ""}${bashScript(commands)}`;
}

function bashScript(commands: readonly CompletedCommand[]): string {
  const first = [...new Set(commands.map(({ name }) => name.split(" ")[0]))].join(" ");
  const topics = Map.groupBy(
    commands.filter(({ name }) => name.includes(" ")),
    ({ name }) => name.split(" ")[0] ?? "",
  );
  const cases = commands.map(({ name, flags }) => {
    const follows = FOLLOWS.find(([which]) => which.test(name))?.[1];
    const words = follows === undefined ? "" : ` $(${follows})`;
    return `    "${name}") words="${flags.map((flag) => `--${flag}`).join(" ")}${words}" ;;`;
  });
  const inTopics = [...topics].map(
    ([topic, list]) =>
      `    "${topic}") words="$words ${list.map(({ name }) => name.slice(topic.length + 1)).join(" ")}" ;;`,
  );
  return `_kb() {
  local words= command="\${COMP_WORDS[1]}" current="\${COMP_WORDS[COMP_CWORD]}"
  case "\${COMP_WORDS[1]} \${COMP_WORDS[2]}" in
    ${commands
      .filter(({ name }) => name.includes(" "))
      .map(({ name }) => `"${name}"`)
      .join("|")}) [ "$COMP_CWORD" -gt 2 ] && command="\${COMP_WORDS[1]} \${COMP_WORDS[2]}" ;;
  esac
  case "$command" in
${cases.join("\n")}
  esac
  [ "$COMP_CWORD" -eq 2 ] && case "$command" in
${inTopics.join("\n")}
  esac
  [ "$COMP_CWORD" -eq 1 ] && words="${first}"
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [ -n "\${COMPREPLY[*]}" ] || COMPREPLY=($(compgen -f -- "$current"))
}
complete -F _kb kb
`;
}

function fishScript(commands: readonly CompletedCommand[]): string {
  const quote = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
  const lines = commands.flatMap(({ name, summary, flags }) => {
    const [first = "", second] = name.split(" ");
    const isOpen = second === undefined ? "__fish_use_subcommand" : `__fish_seen_subcommand_from ${first}`;
    const isGiven = [first, ...(second === undefined ? [] : [second])]
      .map((word) => `__fish_seen_subcommand_from ${word}`)
      .join("; and ");
    const follows = FOLLOWS.find(([which]) => which.test(name))?.[1];
    return [
      `complete -c kb -n ${quote(isOpen)} -f -a ${quote(second ?? first)} -d ${quote(summary)}`,
      ...flags.map((flag) => `complete -c kb -n ${quote(isGiven)} -l ${flag}`),
      ...(follows === undefined ? [] : [`complete -c kb -n ${quote(isGiven)} -a ${quote(`(${follows})`)}`]),
    ];
  });
  return `${lines.join("\n")}\n`;
}

import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type ParsedNode,
  parseDocument,
  type Scalar,
  type YAMLMap,
} from "yaml";
import { InventoryError } from "../errors.ts";
import { parseSecretRef, SecretRef } from "../secrets/reference.ts";
import { hasTemplate, renderSource, type Source, type Sourced, suggest } from "./inventory.ts";
import { isJson, shown } from "./read-text.ts";
import { isSexagesimal, plainScalar } from "./yaml-scalar.ts";

type Pair = YAMLMap<ParsedNode, ParsedNode | null>["items"][number];

/** Values that one value may expand to by aliases: more is a "billion laughs". */
const MOST_VALUES = 100_000;

/** What one conversion collects on its way. */
interface Conversion {
  readonly templates: Source[];
  /** Aliased nodes that are being converted: one within itself has no end. */
  readonly open: Set<Node>;
  count: number;
}

const KNOWN_TAGS = ["!vault", "!vault-encrypted", "!secret", "!unsafe"];

/**
 * A YAML file as Ansible reads it (YAML 1.1, the last of two equal keys counts), whose values know where they stand.
 * Tags that it knows: `!vault` and `!secret` make a {@link SecretRef}, `!unsafe` a text that is no template.
 */
export class YamlFile {
  /** As it is named to people. */
  readonly file: string;
  readonly root: ParsedNode | null;
  readonly #lines = new LineCounter();
  readonly #document: Document.Parsed;
  readonly #warn: (text: string) => void;
  readonly #scalar: (text: string) => unknown;

  /** @throws InventoryError with file, line and column */
  constructor(file: string, text: string, warn: (text: string) => void) {
    this.file = shown(file);
    this.#warn = warn;
    const document = parseDocument(text, {
      lineCounter: this.#lines,
      prettyErrors: false,
      uniqueKeys: false,
      schema: "failsafe",
    });
    const [problem] = document.errors;
    if (problem !== undefined) {
      throw new InventoryError(`${renderSource(this.#position(problem.pos[0]))}: ${problem.message}`);
    }
    this.#document = document;
    this.root = document.contents;
    // Ansible tries JSON first, whose numbers are not YAML 1.1's.
    this.#scalar = isJson(text) ? (scalar) => JSON.parse(scalar) as unknown : plainScalar;
  }

  isEmpty(node: ParsedNode | null | undefined): node is null | undefined {
    return node === null || node === undefined || (isScalar(node) && this.#isPlain(node) && node.source === "");
  }

  /** Whether a name alone stands where a map might. */
  isText(node: ParsedNode | null | undefined): node is Scalar.Parsed {
    return isScalar(node) && !this.isEmpty(node);
  }

  /** The text of a name. @throws InventoryError where there is none */
  text(node: ParsedNode | null): string {
    if (isScalar(node) && typeof node.source === "string" && node.source !== "") return node.source;
    return this.fail(node, "a name is expected here");
  }

  /** A map of names; equal ones are warned of. @throws InventoryError that tells the rule */
  map(node: ParsedNode | null | undefined, rule: string): YAMLMap<ParsedNode, ParsedNode | null> {
    const target = isAlias(node) ? node.resolve(this.#document) : node;
    // Erasure point: the library's types forget what the parser makes.
    if (isMap(target)) return target as YAMLMap<ParsedNode, ParsedNode | null>;
    return this.fail(node ?? null, rule);
  }

  /** The entries of a map, its merges (`<<`) included: of two equal names the last one. */
  entries(map: YAMLMap<ParsedNode, ParsedNode | null>): readonly Pair[] {
    const pairs = new Map<string, Pair>();
    for (const pair of this.#ownAndMerged(map)) {
      const name = this.text(pair.key);
      pairs.delete(name);
      pairs.set(name, pair);
    }
    return [...pairs.values()];
  }

  /** The vars of a map, in order. @throws InventoryError where it is none */
  vars(node: ParsedNode | null | undefined): readonly (readonly [name: string, value: Sourced])[] {
    if (this.isEmpty(node)) return [];
    return this.entries(this.map(node, "vars are a map")).map((pair) => [
      this.text(pair.key),
      this.#sourced(pair.value ?? pair.key, pair.value),
    ]);
  }

  sourceOf(node: Node | null): Source {
    return this.#position(node?.range?.[0] ?? 0);
  }

  fail(node: Node | null, message: string, hint?: string): never {
    throw new InventoryError(`${renderSource(this.sourceOf(node))}: ${message}`, { hint });
  }

  /** A place in the file's text, by its offset. */
  at(offset: number): Source {
    return this.#position(offset);
  }

  #sourced(place: ParsedNode, node: ParsedNode | null): Sourced {
    const conversion: Conversion = { templates: [], open: new Set(), count: 0 };
    const value = this.#toValue(node, conversion);
    const { templates } = conversion;
    return {
      value,
      source: this.sourceOf(place),
      at: (path) => this.#sourceAt(place, path),
      ...(templates.length === 0 ? {} : { templates }),
    };
  }

  #toValue(node: Node | null | undefined, conversion: Conversion): unknown {
    conversion.count += 1;
    if (conversion.count > MOST_VALUES) return this.fail(node ?? null, "aliases make this value too large");
    if (node === null || node === undefined) return null;
    if (isAlias(node)) return this.#aliased(node, conversion);
    if (node.tag?.startsWith("!") && !KNOWN_TAGS.includes(node.tag)) {
      return this.fail(node, `the tag ${node.tag} is not known`, suggest(node.tag, KNOWN_TAGS));
    }
    if (isScalar(node)) return this.#scalarValue(node, conversion);
    if (node.tag === "!secret") return this.#commandRef(node);
    if (isSeq(node)) return node.items.map((item) => this.#toValue(isNode(item) ? item : null, conversion));
    if (isMap(node)) {
      const pairs = this.#ownAndMerged(node as YAMLMap<ParsedNode, ParsedNode | null>);
      return Object.fromEntries(pairs.map((pair) => [this.#keyText(pair.key), this.#toValue(pair.value, conversion)]));
    }
    return this.fail(node, "this kind of value is not known");
  }

  #aliased(alias: Alias, conversion: Conversion): unknown {
    const node = this.#resolve(alias);
    if (conversion.open.has(node)) return this.fail(alias, `&${alias.source} contains itself`);
    conversion.open.add(node);
    const value = this.#toValue(node, conversion);
    conversion.open.delete(node);
    return value;
  }

  #scalarValue(node: Scalar, conversion: Conversion): unknown {
    const text = node.source ?? "";
    switch (node.tag) {
      case "!vault":
      case "!vault-encrypted":
        return new SecretRef("ansible-vault-text", text, undefined, this.sourceOf(node));
      case "!secret":
        return parseSecretRef(text, this.sourceOf(node));
      case "!unsafe":
        return text;
    }
    if (this.#isPlain(node) && isSexagesimal(text)) {
      this.#warn(
        `${renderSource(this.sourceOf(node))}: ${text} is a number in sixties to YAML 1.1; a text needs quotes`,
      );
    }
    const value = this.#isPlain(node) ? this.#scalar(text) : text;
    if (typeof value === "string" && hasTemplate(value)) conversion.templates.push(this.sourceOf(node));
    return value;
  }

  /** `!secret [pass, show, db]` and `!secret { command: [pass, show, db] }`, beside the form in one text. */
  #commandRef(node: Node): SecretRef {
    const list = isSeq(node) ? node : isMap(node) ? node.get("command", true) : undefined;
    if (!isSeq(list))
      return this.fail(node, `!secret takes a text, or a command as a list`, "!secret command:[pass, show, db]");
    const words = list.items.map((item) => (isScalar(item) ? String(item.source ?? "") : ""));
    if (words.length === 0 || words.includes("")) return this.fail(node, "a command is a list of texts");
    return new SecretRef("command", JSON.stringify(words), undefined, this.sourceOf(node));
  }

  #ownAndMerged(map: YAMLMap<ParsedNode, ParsedNode | null>): readonly Pair[] {
    const merged: Pair[] = [];
    const own = new Map<string, Pair>();
    for (const pair of map.items) {
      const name = this.#keyText(pair.key);
      if (name === "<<" && isScalar(pair.key) && this.#isPlain(pair.key)) {
        merged.unshift(...this.#mergedPairs(pair.value));
        continue;
      }
      const earlier = own.get(name);
      if (earlier !== undefined) {
        const places = `${renderSource(this.sourceOf(pair.key))}: ${name} is here a second time`;
        this.#warn(`${places}, and counts in place of the one in line ${this.sourceOf(earlier.key).line}`);
      }
      own.delete(name);
      own.set(name, pair);
    }
    return [...merged.filter((pair) => !own.has(this.#keyText(pair.key))), ...own.values()];
  }

  /** Of several merged maps the first one's keys count. */
  #mergedPairs(node: ParsedNode | null): readonly Pair[] {
    const target = isAlias(node) ? this.#resolve(node) : node;
    if (isSeq(target)) {
      const parts = target.items.map((item) => this.#mergedPairs(item as ParsedNode));
      return parts.reverse().flat();
    }
    return this.#ownAndMerged(this.map(node, "<< merges a map, or a list of maps"));
  }

  #keyText(node: ParsedNode): string {
    const target = isAlias(node) ? this.#resolve(node) : node;
    if (!isScalar(target)) return this.fail(node, "a key is a text or a number");
    const text = target.source ?? "";
    const value = this.#isPlain(target) ? plainScalar(text) : text;
    return typeof value === "number" || typeof value === "boolean" ? String(value) : text;
  }

  #resolve(alias: Alias): Node {
    return alias.resolve(this.#document) ?? this.fail(alias, `there is no anchor &${alias.source} before this`);
  }

  /** In JSON mode too only what stands without quotes is anything else than text. */
  #isPlain(node: Scalar): boolean {
    if (node.tag === undefined) return node.type === "PLAIN";
    return /:(?:int|float|bool|null)$/.test(node.tag);
  }

  #sourceAt(node: ParsedNode, path: readonly PropertyKey[]): Source {
    let deepest: Node = node;
    for (const key of path) {
      const target: Node = isAlias(deepest) ? this.#resolve(deepest) : deepest;
      const next: unknown = "get" in target ? (target as YAMLMap).get(key, true) : undefined;
      if (!isNode(next)) break;
      deepest = next;
    }
    return this.sourceOf(deepest);
  }

  #position(offset: number): Source {
    const { line, col } = this.#lines.linePos(offset);
    return { file: this.file, line, column: col };
  }
}

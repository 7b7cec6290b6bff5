#!/usr/bin/env python3
"""Records what Python makes of texts as values of an INI inventory: [text, {"value": ...}] or [text, null] for no literal.

Left out is what JSON cannot say: numbers that no double holds, complex numbers, bytes within lists, Ellipsis."""
import ast, json, math, random, warnings

warnings.simplefilter("ignore")
PARTS = ["1", "0", "12", "007", "00", "0x1F", "0b10", "0o17", "1_0", "1__0", "1.5", ".5", "5.", "1e3", "1E-2", "1e", "-", "+", "- ", "~",
    "True", "False", "None", "true", "Truex", "'a'", '"b"', "''", "'a b'", "'\\n'", "'\\x41'", "'\\q'", "'\\'", "r'\\n'", "u'x'", "f'x'",
    "'''t'''", '"""u"""', "[", "]", "(", ")", "{", "}", ",", ":", " ", "  ", "#", "# c", "a", "_", ".", "=", "*", "/", "\\", "'", '"', "é"]
FIXED = ["[1, 2,]", "(1)", "(1,)", "()", "[]", "{}", "{1}", "{'a': 1,}", "{None: 1}", "{(1, 2): 3}", "1,", ",", "1 2", "'a' 'b'",
    "['a' 'b']", "- 1", "--1", "+-1", "1 # c", "'x' # c", "[1, # c", "{'a': {'b': [1, (2, 3)]}}", "  1", "1  ", "\t1", "'\\u00e9'", "'\\U0001F600'",
    "'\\101'", "'\\8'", "'\\N{DASH}'", "'\\x4'", "b'x'", "b'\\x41'", "0_1", "0_0", "1_", "_1", "0x", "0xg", "1e5_0", "1.e5", "1..", "1.a", "1a", "0xfor",
    "[[[[]]]]", "(((1)))", "((1,))", "[1", "1]", "{'a' 1}", "{'a': }", "{'a'}", "{1, 2, 1}", "not True", "1 + 2", "1if 1else 2", "'a\\\\'", '"\\""', "'\\''"]

def plain(value, top=True):
    if isinstance(value, bytes):
        if not top: raise OverflowError
        return value.decode()
    if isinstance(value, bool) or value is None or isinstance(value, str): return value
    if isinstance(value, int):
        if abs(value) >= 2**53: raise OverflowError
        return value
    if isinstance(value, float):
        if not math.isfinite(value): raise OverflowError
        return value
    if isinstance(value, (list, tuple)): return [plain(v, False) for v in value]
    if isinstance(value, (set, frozenset)):
        items = [plain(v, False) for v in value]
        return items if len(items) < 2 else sorted(items, key=repr)
    if isinstance(value, dict):
        if any(isinstance(k, tuple) for k in value): raise OverflowError
        keys = [json.loads(json.dumps({k: 0} if not isinstance(k, bytes) else 1 / 0)) for k in value]
        return {list(k)[0]: plain(v, False) for k, v in zip(keys, value.values())}
    raise OverflowError

random.seed(20)
texts = FIXED + ["".join(random.choice(PARTS) for _ in range(random.randint(1, 7))) for _ in range(60000)]
rows = {}
for text in texts:
    try:
        result = {"value": plain(ast.literal_eval(text))}
    except (ValueError, SyntaxError, TypeError):
        result = None
    except (OverflowError, ZeroDivisionError):
        continue
    rows[text] = result
literals = [r for r in rows.items() if r[1] is not None]
others = [r for r in rows.items() if r[1] is None]
chosen = [r for r in rows.items() if r[0] in FIXED] + random.sample(literals, min(500, len(literals))) + random.sample(others, 300)
with open("python-literals.json", "w") as file:
    file.write("[\n" + ",\n".join(json.dumps(r, ensure_ascii=False) for r in dict(chosen).items()) + "\n]\n")

/**
 * The value of a plain scalar by YAML 1.1 as PyYAML reads it, and so Ansible: `yes` is true, `0755` is 493, `1e3` is
 * text. A number that a double cannot hold stays text, digit for digit.
 * @see https://yaml.org/type/
 */
export function plainScalar(text: string): unknown {
  if (/^(?:~|null|Null|NULL|)$/.test(text)) return null;
  if (/^(?:yes|Yes|YES|true|True|TRUE|on|On|ON)$/.test(text)) return true;
  if (/^(?:no|No|NO|false|False|FALSE|off|Off|OFF)$/.test(text)) return false;
  if (!/^[-+.0-9]/.test(text)) return text;
  return integer(text) ?? float(text) ?? text;
}

/** Whether a plain scalar is a number only to YAML 1.1, which counts `12:30` in sixties. */
export function isSexagesimal(text: string): boolean {
  return /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/.test(text) && typeof plainScalar(text) === "number";
}

const INTEGER = /^([-+]?)(?:0b([01_]+)|0x([0-9a-fA-F_]+)|(0[0-7_]+)|(0|[1-9][0-9_]*)|([1-9][0-9_]*(?::[0-5]?[0-9])+))$/;

function integer(text: string): number | string | undefined {
  const match = INTEGER.exec(text);
  if (match === null) return undefined;
  const [, sign, binary, hex, octal, decimal, sixties] = match.map((part) => part?.replaceAll("_", ""));
  const size =
    (binary !== undefined && Number.parseInt(binary, 2)) ||
    (hex !== undefined && Number.parseInt(hex, 16)) ||
    (octal !== undefined && Number.parseInt(octal, 8)) ||
    (decimal !== undefined && Number(decimal)) ||
    (sixties !== undefined && inSixties(sixties)) ||
    0;
  if (!Number.isSafeInteger(size)) return text;
  return sign === "-" && size !== 0 ? -size : size;
}

const FLOAT =
  /^[-+]?(?:[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*)$/;

function float(text: string): number | undefined {
  const infinity = /^([-+]?)\.(?:inf|Inf|INF)$/.exec(text);
  if (infinity !== null) return infinity[1] === "-" ? -Infinity : Infinity;
  if (/^\.(?:nan|NaN|NAN)$/.test(text)) return Number.NaN;
  // PyYAML takes no sign before a bare point.
  if (!FLOAT.test(text) || /^[-+]\./.test(text)) return undefined;
  const digits = text.replaceAll("_", "");
  return digits.includes(":")
    ? Math.sign(Number.parseFloat(digits) || 1) * inSixties(digits.replace(/^[-+]/, ""))
    : Number(digits);
}

function inSixties(text: string): number {
  return text.split(":").reduce((total, part) => total * 60 + Number(part), 0);
}

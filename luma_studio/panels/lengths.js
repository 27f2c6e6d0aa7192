// Lengths of time and numbers as people type them: one parser for every field of the page that takes one.

import { clock } from "./kit.js";

const ZEROS = [0x0660, 0x06f0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0be6, 0x0c66, 0x0ce6, 0x0d66, 0xff10]; // Arabic, Persian, Devanagari …
const UNITS = [
  [1, /^(?:s|sec|secs|second|seconds|सेकंड|सेकेंड)\.?$/],
  [60, /^(?:m|min|mins|minute|minutes|मिनट)\.?$/],
  [3600, /^(?:h|hr|hour|hours|घंटा|घंटे)\.?$/],
];
const SHOWN = 30; // characters of what cannot be read

/** A text with Western digits, a point for the comma before a fraction, and no marks of direction. */
function plainly(text) {
  const western = [...text].map((each) => {
    const zero = ZEROS.find((first) => each.codePointAt(0) >= first && each.codePointAt(0) < first + 10);
    return zero === undefined ? each : String(each.codePointAt(0) - zero);
  });
  return western.join("").replace(/[\u061c\u200e\u200f\u2066-\u2069]/g, "").replace(/٫/g, ".").trim().toLowerCase();
}

/** A number; null for anything else, and where a comma may stand before thousands as well as before a fraction. */
function plainNumber(text) {
  if (/^[1-9]\d*,\d{3}$/.test(text)) return null;
  return /^(?:\d{1,9}(?:[.,]\d{0,9})?|[.,]\d{1,9})$/.test(text) ? Number(text.replace(",", ".")) : null;
}

/** What 4.5, 4,5, 0:30, 1:02:03, 5 s, 2 min or ५ mean in seconds; null for anything else. */
export function lengthOf(text) {
  const plain = plainly(text);
  const parts = plain.split(":");
  if (parts.length > 1) return clockOf(parts);
  const [, number, unit] = /^([\d.,]+)\s*(.*)$/.exec(plain) ?? [];
  const factor = unit ? UNITS.find(([, words]) => words.test(unit))?.[0] : 1;
  const value = number === undefined ? null : plainNumber(number);
  return value === null || factor === undefined ? null : value * factor;
}

function clockOf(parts) {
  const last = parts.length - 1;
  const isRight = (part, at) => (at < last ? /^\d{1,4}$/ : /^\d{1,2}(?:[.,]\d{1,9})?$/).test(part) && (at === 0 || Number(part.replace(",", ".")) < 60);
  if (last > 2 || !parts.every(isRight)) return null;
  return parts.reduce((sum, part) => sum * 60 + Number(part.replace(",", ".")), 0);
}

/** What a field says of a length: `{ length }` in seconds, or `{ error }`, a sentence to stand beside the field. */
export function readLength(text, most = Infinity) {
  const length = lengthOf(text);
  if (!text.trim()) return { error: "Write a length, such as 4.5, 0:30 or 2 min." };
  if (length === null) return { error: `“${text.trim().slice(0, SHOWN)}” cannot be read as a length. Write it as 4.5, 0:30 or 2 min.` };
  if (length > most) return { error: `That is too long: ${clock(most)} is the most.` };
  return { length };
}

/** What 80, 80 %, 120,5 or ८० mean in percent; null for anything else. */
export function percentOf(text) {
  return plainNumber(plainly(text).replace(/\s*[%٪]$/, ""));
}

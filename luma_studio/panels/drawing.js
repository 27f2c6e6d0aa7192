// Drawing a timeline on a canvas: ruler, scenes, waveforms, pauses.

import { clock } from "./kit.js";
import { rulerStep, seen } from "./view.js";

export const RULER = 22; // heights, in pixels
export const BAND = 24;
export const WAVES = 116;
export const WORDS = 24;
export const HEIGHT = RULER + BAND + WAVES + WORDS;

const TOP = RULER + BAND;
const COARSE = 16; // grains of a waveform in one of its coarser form

/** The colours of a theme, read from the style sheet. */
export function palette(element) {
  const style = getComputedStyle(element);
  const names = ["card", "raised", "ink", "muted", "line", "strong-line", "accent", "accent-soft", "focus", "wave", "wave-soft", "written", "default", "agent", "tuned", "fitted", "danger"];
  const colours = Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--luma-${name}`).trim()]));
  return { ...colours, font: style.getPropertyValue("--luma-font") };
}

/** A waveform's peaks at two grains, so that an hour is drawn as quickly as a word. */
export function waveform(peaks, grain) {
  const coarse = new Uint8Array(Math.ceil(peaks.length / COARSE));
  for (let i = 0; i < peaks.length; i += 1) {
    const at = (i / COARSE) | 0;
    if (peaks[i] > coarse[at]) coarse[at] = peaks[i];
  }
  return { peaks, coarse, grain };
}

function loudest(wave, from, until) {
  let first = Math.floor(from / wave.grain);
  const last = Math.max(first + 1, Math.ceil(until / wave.grain));
  let most = 0;
  if (last - first > COARSE * 2) {
    const end = Math.min(wave.coarse.length, Math.ceil(last / COARSE));
    for (let i = Math.floor(first / COARSE); i < end; i += 1) if (wave.coarse[i] > most) most = wave.coarse[i];
    return most;
  }
  for (; first < last && first < wave.peaks.length; first += 1) if (wave.peaks[first] > most) most = wave.peaks[first];
  return most;
}

/** Draw what is seen. `look` has view, timeline, pauses (columns), texts, waves (by clause, may be missing), samples (by
 * clause: the take itself where it is here), spoken (whether), selected, hovered, dragged, colours. */
export function draw(context, ratio, look) {
  const { view, timeline, colours } = look;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.fillStyle = colours.card;
  context.fillRect(0, 0, view.width, HEIGHT);
  const [first, last] = seen(timeline, view);
  drawScenes(context, look);
  drawPauses(context, look, first, last);
  drawWaves(context, look, first, last);
  drawWords(context, look, first, last);
  drawRuler(context, look);
}

function drawRuler(context, { view, timeline, colours }) {
  const step = rulerStep(view.pace);
  const digits = step < 0.1 ? 2 : step < 1 ? 1 : 0;
  context.font = `500 11px ${colours.font}`;
  context.textBaseline = "middle";
  context.textAlign = "left";
  const from = Math.max(0, Math.floor(view.start / view.rate / step));
  const until = Math.ceil(Math.min(view.end, timeline.length) / view.rate / step);
  for (let mark = from; mark <= until; mark += 1) {
    const x = Math.round(view.x(mark * step * view.rate)) + 0.5;
    context.fillStyle = colours.line;
    context.fillRect(x - 0.5, RULER - 6, 1, 6);
    context.fillStyle = colours.muted;
    context.fillText(clock(mark * step, digits), x + 4, RULER / 2);
  }
  context.fillStyle = colours.line;
  context.fillRect(0, RULER - 1, view.width, 1);
}

function drawScenes(context, { view, timeline, colours }) {
  context.font = `600 12px ${colours.font}`;
  context.textBaseline = "middle";
  timeline.scenes.forEach((scene, index) => {
    const from = Math.max(-1, view.x(scene.start));
    const until = Math.min(view.width + 1, view.x(scene.end));
    if (until < 0 || from > view.width) return;
    context.fillStyle = index % 2 ? colours.card : colours.raised;
    context.fillRect(from, RULER, until - from, HEIGHT - RULER);
    context.fillStyle = colours["strong-line"];
    if (index) context.fillRect(Math.round(from), RULER, 1, BAND);
    const room = until - Math.max(0, from) - 16;
    if (room > 24) {
      context.fillStyle = colours.ink;
      context.textAlign = "left";
      context.fillText(shortened(context, scene.title || scene.id, room), Math.max(0, from) + 8, RULER + BAND / 2);
    }
  });
}

function drawPauses(context, { view, timeline, pauses, selected, hovered, dragged, colours }, first, last) {
  context.textBaseline = "middle";
  context.textAlign = "center";
  for (let i = first; i < last; i += 1) {
    const x = view.x(timeline.speechEnd[i]);
    const until = view.x(i + 1 < timeline.count ? timeline.speechStart[i + 1] : timeline.length);
    const width = until - x;
    if (width < 2 && i !== selected) continue;
    const colour = colours[pauses.source[i]];
    const strong = i === selected || i === dragged;
    context.globalAlpha = strong ? 0.26 : i === hovered ? 0.2 : 0.12;
    context.fillStyle = colour;
    rounded(context, x + 0.5, TOP + 8, Math.max(1.5, width - 1), WAVES - 16, 6);
    context.fill();
    context.globalAlpha = 1;
    if (strong) {
      context.lineWidth = 1.5;
      context.strokeStyle = colour;
      context.stroke();
    }
    if (width > 9) {
      context.fillStyle = colour;
      rounded(context, until - 4.5, TOP + WAVES / 2 - 13, 3, 26, 1.5);
      context.fill();
    }
    if (width > 34) drawLength(context, pauses, i, x, width, colours);
  }
}

function drawLength(context, pauses, i, x, width, colours) {
  const middle = x + (width - 4) / 2;
  const centre = TOP + WAVES / 2;
  context.fillStyle = colours.ink;
  context.font = `650 12px ${colours.font}`;
  context.fillText(`${seconds(pauses.seconds[i])}${width > 46 ? " s" : ""}`, middle, centre - (width > 62 ? 8 : 0));
  if (width > 62) {
    context.fillStyle = colours[pauses.source[i]];
    context.font = `550 11px ${colours.font}`;
    context.fillText(pauses.source[i], middle, centre + 8);
  }
  if (pauses.locked[i]) drawLock(context, middle, centre - (width > 62 ? 27 : 20), colours.ink);
}

function drawLock(context, x, y, colour) {
  context.strokeStyle = colour;
  context.fillStyle = colour;
  context.lineWidth = 1.4;
  context.beginPath();
  context.arc(x, y - 1, 3, Math.PI, 0);
  context.stroke();
  context.fillRect(x - 4.5, y - 1, 9, 6.5);
}

function drawWaves(context, look, first, last) {
  const { view, timeline, waves, samples, spoken, colours } = look;
  const middle = TOP + WAVES / 2;
  const tallest = WAVES / 2 - 14;
  context.fillStyle = colours.wave; // a rectangle each is many times quicker than one path of all
  for (let i = first; i < last; i += 1) {
    const x = view.x(timeline.clipStart[i]);
    const until = view.x(timeline.clipEnd[i]);
    if (until < 0 || x > view.width) continue;
    if (!spoken[i]) {
      drawUnspoken(context, x, until, middle, colours);
      continue;
    }
    const take = view.pace > 240 ? samples(i) : undefined;
    const wave = waves(i);
    const begin = Math.max(0, Math.floor(x));
    const end = Math.min(view.width, Math.max(begin + 1, Math.ceil(until)));
    for (let column = begin; column < end; column += 1) {
      const from = Math.max(timeline.clipStart[i], view.sample(column)) - timeline.clipStart[i] + timeline.offset[i];
      const to = Math.min(timeline.clipEnd[i], view.sample(column + 1)) - timeline.clipStart[i] + timeline.offset[i];
      const level = take ? peakOf(take, from, to) : wave ? loudest(wave, from, to) / 255 : 0.02;
      const height = Math.max(1, level ** 0.7 * tallest);
      context.fillRect(column, middle - height, 1, 2 * height);
    }
  }
}

/** The loudest of a few samples, 0 to 1. */
function peakOf(take, from, until) {
  const end = Math.min(take.length, Math.max(from + 1, until));
  const step = Math.max(1, Math.floor((end - from) / 64));
  let most = 0;
  for (let i = Math.max(0, Math.floor(from)); i < end; i += step) {
    const value = Math.abs(take[i]);
    if (value > most) most = value;
  }
  return most / 32768;
}

function drawUnspoken(context, x, until, middle, colours) {
  context.save();
  context.strokeStyle = colours["strong-line"];
  context.setLineDash([4, 4]);
  context.lineWidth = 1;
  context.strokeRect(Math.round(x) + 0.5, middle - 22.5, Math.max(2, Math.round(until - x) - 1), 45);
  context.restore();
}

function drawWords(context, { view, timeline, texts, selected, colours }, first, last) {
  context.font = `400 13px ${colours.font}`;
  context.textAlign = "left";
  context.textBaseline = "middle";
  for (let i = first; i < last; i += 1) {
    const from = Math.max(4, view.x(timeline.clipStart[i]));
    const next = i + 1 < timeline.count ? timeline.clipStart[i + 1] : timeline.length;
    const room = Math.min(view.width, view.x(next)) - from - 6;
    if (room < 28) continue;
    context.fillStyle = i === selected ? colours.ink : colours.muted;
    context.fillText(shortened(context, texts[i], room), from, HEIGHT - WORDS / 2 - 1);
  }
}

const widths = new Map();

/** As much of a text as there is room for; measured by its beginning, since a text may be very long. */
function shortened(context, text, room) {
  const most = Math.min(text.length, Math.ceil(room / 3));
  const key = `${context.font}|${most}|${text.slice(0, most)}`;
  let width = widths.get(key);
  if (width === undefined) {
    if (widths.size > 4000) widths.clear();
    width = context.measureText(text.slice(0, most)).width;
    widths.set(key, width);
  }
  if (most === text.length && width <= room) return isolated(text);
  const fits = Math.max(1, Math.floor((most * (room - 10)) / Math.max(width, 1)));
  return `${isolated([...text.slice(0, Math.min(fits, most))].join(""))}…`;
}

/** A text whose own direction does not reach beyond it. */
function isolated(text) {
  return `\u2068${text}\u2069`;
}

/** A pause's seconds as they are written on it: 4, 1.5, 0.25. */
export function seconds(value) {
  return String(Number(value.toFixed(2)));
}

/** The loudest of each pixel column of a whole timeline, `width` pixels wide. */
export function wholeLevels(timeline, waves, width) {
  const scale = width / Math.max(1, timeline.length);
  const levels = new Uint8Array(Math.ceil(width) + 1);
  for (let i = 0; i < timeline.count; i += 1) {
    const wave = waves(i);
    const from = Math.floor(timeline.clipStart[i] * scale);
    const until = Math.max(from + 1, Math.ceil(timeline.clipEnd[i] * scale));
    for (let column = from; column < until && column < levels.length; column += 1) {
      const begin = Math.max(0, column / scale - timeline.clipStart[i] + timeline.offset[i]);
      const level = wave ? loudest(wave, begin, begin + Math.max(1, 1 / scale)) : 40;
      if (level > levels[column]) levels[column] = level;
    }
  }
  return levels;
}

/** Draw the sounds and scenes of a whole timeline, once for many frames. */
export function drawLevels(context, ratio, { timeline, levels, width, height, colours }) {
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.fillStyle = colours.wave;
  context.globalAlpha = 0.75;
  for (let column = 0; column < width; column += 1) {
    const tall = levels[column] ? Math.max(1, (levels[column] / 255) ** 0.7 * (height / 2 - 4)) : 0.5;
    context.fillRect(column, height / 2 - tall, 1, 2 * tall);
  }
  context.globalAlpha = 1;
  context.fillStyle = colours["strong-line"];
  for (const scene of timeline.scenes.slice(1)) context.fillRect(Math.round((scene.start * width) / timeline.length), 0, 1, height);
}

/** Draw the strip that shows all: what `drawLevels` has drawn on a canvas, and the part that is seen. */
export function drawWhole(context, ratio, { view, timeline, drawn, width, height, colours }) {
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, drawn.width, drawn.height);
  context.drawImage(drawn, 0, 0);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  const scale = width / Math.max(1, timeline.length);
  const x = view.start * scale;
  const seenWidth = Math.max(6, (Math.min(view.end, timeline.length) - view.start) * scale);
  context.fillStyle = colours.accent;
  context.globalAlpha = 0.14;
  context.fillRect(x, 0, seenWidth, height);
  context.globalAlpha = 1;
  context.strokeStyle = colours.accent;
  context.lineWidth = 1.5;
  rounded(context, x + 0.75, 0.75, Math.max(4, seenWidth - 1.5), height - 1.5, 5);
  context.stroke();
}

function rounded(context, x, y, width, height, radius) {
  context.beginPath();
  context.roundRect(x, y, width, height, Math.min(radius, width / 2));
}

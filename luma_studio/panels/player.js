// Sound: takes are laid over the silences of a timeline with Web Audio, each at its sample. Moving a pause needs no
// render: what has not begun is taken back and scheduled anew.

import { makeHearing } from "./hearing.js";
import { clauseAt, moved } from "./timeline.js";

const AHEAD = 12; // seconds that are scheduled in advance
const NEAR = 30; // seconds ahead of the playhead whose takes are fetched
const START = 0.03; // seconds from a press to the first sample, so that none is late
const EDGE = 0.008; // seconds of fade where playing begins or ends within a sound
const MOST_BYTES = 64 * 2 ** 20; // of takes that are kept
const TICK = 250; // ms

/** The samples of a clip as the master has them: cut from its take, faded by raised cosines at both ends. */
export function clipSamples(take, offset, length, fade) {
  const clip = new Float32Array(length);
  for (let i = 0; i < length; i += 1) clip[i] = take[offset + i] / 32768;
  const edge = Math.min(fade, length);
  for (let i = 0; i < edge; i += 1) {
    const gain = 0.5 - 0.5 * Math.cos((Math.PI * (i + 0.5)) / edge);
    clip[i] *= gain;
    clip[length - 1 - i] *= gain;
  }
  return clip;
}

/** The clauses whose clips sound between two positions: from the first up to, not including, the last. */
export function clausesBetween(timeline, from, until) {
  let first = Math.max(0, clauseAt(timeline, from));
  while (first < timeline.count && timeline.clipEnd[first] <= from) first += 1;
  return [first, clauseAt(timeline, until - 1) + 1];
}

/** Start one clip at its sample. `zero` is the frame of the context at which the timeline's sample 0 would sound. */
export function startClip(context, destination, buffer, timeline, index, zero, from) {
  const source = new AudioBufferSourceNode(context, { buffer });
  source.connect(destination);
  const late = Math.max(0, from - timeline.clipStart[index]);
  source.start((zero + timeline.clipStart[index] + late) / timeline.rate, late / timeline.rate);
  return source;
}

/** A store of takes by fingerprint: fetched once, the longest unused let go when there are too many. */
export function takeStore(fetchTakes) {
  const kept = new Map();
  const asked = new Map();
  let bytes = 0;
  const keep = (fingerprint, samples) => {
    kept.set(fingerprint, samples);
    bytes += samples.byteLength;
    for (const [oldest, old] of kept) {
      if (bytes <= MOST_BYTES || oldest === fingerprint) break;
      kept.delete(oldest);
      bytes -= old.byteLength;
    }
  };
  return {
    /** A take's samples, or undefined while they are not here. */
    get(fingerprint) {
      const samples = kept.get(fingerprint);
      if (samples) {
        kept.delete(fingerprint);
        kept.set(fingerprint, samples);
      }
      return samples;
    },
    /** Fetch what is missing; resolves when all of it is here. */
    async want(fingerprints) {
      const missing = [...new Set(fingerprints)].filter((each) => each && !kept.has(each) && !asked.has(each));
      if (missing.length) {
        const answer = fetchTakes(missing).then((takes) => takes.forEach((samples, i) => keep(missing[i], samples)));
        for (const each of missing) asked.set(each, answer.finally(() => asked.delete(each)));
      }
      await Promise.all(fingerprints.map((each) => asked.get(each)));
    },
  };
}

/** Plays a timeline. `changed()` is called when playing, or hearing, begins or ends, `failed(error)` when it ends because a take cannot be had;
 * `fetchTakes(fingerprints)` gives Int16Arrays, or none where nobody waits for them any more.
 *
 * `set({ timeline, fingerprints, fade, gain })` tells what to play, and may be called while it plays: what sounds goes on, and all
 * that follows is at its new place before the call returns. */
export function makePlayer({ fetchTakes, changed, failed }) {
  const takes = takeStore(fetchTakes);
  let piece = null; // what is to be played
  let context = null;
  let out = null;
  let run = null; // what is being played
  let ticking = null;
  let alone = null; // a take that is played by itself, or a clause while it comes
  let wish = 0; // counts what was asked to be heard: what comes late is not played any more
  let closed = false;
  let buffers = new Map(); // clips ready to start, by what is in them

  const frame = () => Math.round(context.currentTime * context.sampleRate);

  function ready() {
    if (context && context.sampleRate !== piece.timeline.rate) {
      context.close();
      context = null;
    }
    if (!context) {
      context = new AudioContext({ sampleRate: piece.timeline.rate, latencyHint: "interactive" });
      out = new GainNode(context);
      out.connect(context.destination);
      buffers = new Map();
    }
    out.gain.value = 10 ** (piece.gain / 20);
  }

  function bufferOf(index) {
    const { timeline, fingerprints, fade } = piece;
    const fingerprint = fingerprints[index];
    const length = timeline.clipEnd[index] - timeline.clipStart[index];
    const key = `${fingerprint}:${timeline.offset[index]}:${length}`;
    if (buffers.has(key)) return buffers.get(key);
    const take = takes.get(fingerprint);
    if (!take || length <= 0) return null;
    const buffer = new AudioBuffer({ length, sampleRate: timeline.rate });
    buffer.copyToChannel(clipSamples(take, timeline.offset[index], length, fade), 0);
    buffers.set(key, buffer);
    while (buffers.size > 64) buffers.delete(buffers.keys().next().value);
    return buffer;
  }

  /** A stretch to be played once, with soft edges: `zero` is the frame of its timeline's sample 0. */
  function stretch(from, until, zero) {
    const edges = new GainNode(context, { gain: 0 });
    edges.connect(out);
    const begins = (zero + from) / piece.timeline.rate;
    edges.gain.setValueAtTime(0, begins);
    edges.gain.linearRampToValueAtTime(1, begins + EDGE);
    const made = { from, until, zero, edges, nodes: new Map() };
    softEnd(made, begins + EDGE);
    return made;
  }

  /** Have a stretch end softly, unless the timeline itself ends there. */
  function softEnd(part, notBefore) {
    if (part.until >= piece.timeline.length) return;
    const ends = (part.zero + part.until) / piece.timeline.rate;
    part.edges.gain.setValueAtTime(1, Math.max(notBefore, ends - EDGE));
    part.edges.gain.linearRampToValueAtTime(0, Math.max(notBefore, ends) + 0.0001);
  }

  function cut(part, node) {
    if (part.until < piece.timeline.length) node.stop((part.zero + part.until) / piece.timeline.rate + 0.001);
  }

  /** The stretch that is heard now. */
  function current() {
    const now = frame();
    return run.stretches.findLast((each) => each.zero + each.from <= now) ?? run.stretches[0];
  }

  function drop(each) {
    for (const node of each.nodes.values()) node.stop();
    each.nodes.clear();
    each.edges.disconnect();
  }

  /** Schedule all that begins within AHEAD seconds and is here; ask for what is near. */
  function scheduleAhead() {
    const now = frame();
    const { timeline, fingerprints } = piece;
    let latest = run.stretches.at(-1);
    while (run.loop && latest.zero + latest.until - now < timeline.rate) {
      latest = stretch(run.from, run.until, latest.zero + latest.until - run.from);
      run.stretches.push(latest);
    }
    while (run.stretches.length > 1 && run.stretches[0].zero + run.stretches[0].until < now - timeline.rate / 10) {
      drop(run.stretches.shift());
    }
    for (const part of run.stretches) {
      const at = Math.max(part.from, now - part.zero);
      const horizon = Math.min(part.until, now - part.zero + AHEAD * timeline.rate);
      const [first, last] = clausesBetween(timeline, at, horizon);
      for (let i = first; i < last; i += 1) {
        if (part.nodes.has(i) || !fingerprints[i]) continue;
        const buffer = bufferOf(i);
        if (!buffer) continue;
        const node = startClip(context, part.edges, buffer, timeline, i, part.zero, at);
        cut(part, node);
        node.onended = () => node.disconnect();
        part.nodes.set(i, node);
      }
      for (const [i] of part.nodes) if (timeline.clipEnd[i] < at - timeline.rate) part.nodes.delete(i);
    }
    const heard = current();
    const here = Math.max(heard.from, now - heard.zero);
    return wanted(here, Math.min(heard.until, here + NEAR * timeline.rate));
  }

  function wanted(from, until) {
    const [first, last] = clausesBetween(piece.timeline, from, until);
    return takes.want(piece.fingerprints.slice(first, last).filter(Boolean));
  }

  function tick() {
    if (!run) return;
    const last = run.stretches.at(-1);
    if (!run.loop && frame() - last.zero >= last.until) {
      player.stop();
      return;
    }
    const playing = run;
    follow().then(() => { if (run === playing) follow(); });
  }

  /** Schedule what is ahead; a take that cannot be had ends the playing. */
  async function follow() {
    const playing = run;
    try {
      await scheduleAhead();
    } catch (error) {
      if (run !== playing) return;
      player.stop();
      failed(error);
    }
  }

  const player = {
    /** Whether it plays. */
    get playing() {
      return run !== null;
    },
    /** Whether a clause is heard while it comes. */
    get hearing() {
      return alone?.isHeard ?? false;
    },
    /** What is heard now, in samples; null when nothing plays. */
    get position() {
      if (!run) return null;
      if (!run.stretches.length) return run.from;
      const part = current();
      return Math.min(part.until, Math.max(part.from, frame() - part.zero));
    },
    /** The samples of a take if they are here. */
    take: (fingerprint) => takes.get(fingerprint),
    set(next) {
      const before = piece;
      piece = next;
      if (!run) return;
      ({ from: run.from, until: run.until } = run.bounds(piece.timeline));
      if (!run.stretches.length) return;
      ready();
      const part = current();
      const was = Math.max(frame() - part.zero, part.from);
      const here = moved(was, before.timeline, piece.timeline);
      const sounding = clauseAt(before.timeline, was);
      const now = part.zero + was;
      for (const other of run.stretches) if (other !== part) drop(other);
      Object.assign(part, { from: here, until: run.until, zero: now - here });
      for (const [i, node] of part.nodes) {
        const keeps = i === sounding && was < before.timeline.clipEnd[i] && before.fingerprints[i] === piece.fingerprints[i];
        if (keeps) {
          cut(part, node);
        } else {
          node.stop();
          part.nodes.delete(i);
        }
      }
      part.edges.gain.cancelScheduledValues(context.currentTime);
      part.edges.gain.setValueAtTime(1, context.currentTime);
      softEnd(part, context.currentTime);
      run.stretches = [part];
      follow();
    },
    /** Have the takes around a position ready. */
    prepare(position) {
      return wanted(Math.max(0, position - 5 * piece.timeline.rate), position + NEAR * piece.timeline.rate);
    },
    /** Play between the bounds that a function gives for a timeline ({from, until}), once or again and again. */
    async play(bounds, { loop = false } = {}) {
      player.stop();
      if (closed) return;
      ready();
      const mine = { bounds, loop, ...bounds(piece.timeline), stretches: [] };
      run = mine;
      changed();
      await Promise.all([context.resume(), wanted(mine.from, Math.min(mine.until, mine.from + 3 * piece.timeline.rate))]);
      if (run !== mine) return;
      Object.assign(mine, bounds(piece.timeline));
      mine.stretches = [stretch(mine.from, mine.until, frame() + Math.round(START * piece.timeline.rate) - mine.from)];
      tick();
      ticking = setInterval(tick, TICK);
    },
    /** Play a take alone, from its first sound to its last. */
    async playTake(fingerprint) {
      player.stop();
      if (closed) return;
      ready();
      const mine = wish;
      await Promise.all([context.resume(), takes.want([fingerprint])]);
      const samples = takes.get(fingerprint);
      if (!samples || mine !== wish) return; // it is another production's
      const buffer = new AudioBuffer({ length: samples.length, sampleRate: context.sampleRate });
      buffer.copyToChannel(clipSamples(samples, 0, samples.length, piece.fade), 0);
      const node = new AudioBufferSourceNode(context, { buffer });
      node.connect(out);
      node.onended = () => node.disconnect();
      node.start();
      alone = node;
    },
    /** Play what comes, piece by piece, as `more()` gives it. */
    async playComing(more) {
      player.stop();
      if (closed) return;
      ready();
      alone = makeHearing(() => out, changed);
      await Promise.all([context.resume(), alone.play(more)]);
    },
    stop() {
      wish += 1;
      clearInterval(ticking);
      const before = alone;
      alone = null;
      before?.stop();
      if (!run) return;
      const ended = run;
      run = null;
      for (const part of ended.stretches) fadeAway(part);
      changed();
    },
    close() {
      player.stop();
      closed = true;
      context?.close();
      context = null;
    },
  };
  function fadeAway(part) {
    const now = context.currentTime;
    part.edges.gain.cancelScheduledValues(now);
    part.edges.gain.setTargetAtTime(0, now, 0.005);
    for (const node of part.nodes.values()) node.stop(now + 0.04);
    setTimeout(() => part.edges.disconnect(), 80);
  }

  return player;
}

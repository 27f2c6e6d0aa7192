// Where everything lies in time: the same arithmetic as Python's `arrange`, in whole samples.

/** The nearest whole number, halves to even, as Python and numpy round. */
export function rint(value) {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return rest < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}

/** Lay out one take and one pause a clause.
 *
 * `given` has `rate`, `lead` and `tail` (samples), `scenes` ({id, title, first, last, lead}), `takes` (columns start, end,
 * length) and `seconds`, a pause a clause. The result has a column for each position, in samples. */
export function arrange({ rate, lead: mostLead, tail: mostTail, scenes, takes, seconds }) {
  const count = seconds.length;
  const column = () => new Float64Array(count);
  const result = {
    rate, count, pauses: column(), speechStart: column(), speechEnd: column(), clipStart: column(), clipEnd: column(),
    offset: column(), scenes: [], length: 0,
  };
  if (!count) return result;

  const before = column(); // silence from the last sound to this clause's first
  for (const scene of scenes) before[scene.first] = scene.lead;
  for (let i = 0; i < count; i += 1) {
    result.pauses[i] = rint(seconds[i] * rate);
    if (i + 1 < count) before[i + 1] += result.pauses[i];
  }
  const leads = column();
  const tails = column();
  for (let i = 0; i < count; i += 1) {
    leads[i] = Math.min(takes.start[i], mostLead);
    tails[i] = Math.min(takes.length[i] - takes.end[i], mostTail);
  }
  before[0] = Math.max(before[0], leads[0]);
  const after = Math.max(result.pauses[count - 1], tails[count - 1]);
  share(before, after, leads, tails);

  let at = 0;
  for (let i = 0; i < count; i += 1) {
    at += before[i];
    result.speechStart[i] = at;
    at += takes.end[i] - takes.start[i];
    result.speechEnd[i] = at;
    result.clipStart[i] = result.speechStart[i] - leads[i];
    result.clipEnd[i] = at + tails[i];
    result.offset[i] = takes.start[i] - leads[i];
  }
  result.length = at + after;
  result.scenes = placed(scenes, result, leads);
  return result;
}

/** Shorten lead-ins and tails where a silence is too short for both. */
function share(before, after, leads, tails) {
  const last = leads.length - 1;
  for (let i = 0; i <= last; i += 1) {
    const gap = i < last ? before[i + 1] : after;
    const nextLead = i < last ? leads[i + 1] : 0;
    tails[i] = Math.min(tails[i], gap - Math.min(nextLead, Math.floor(gap / 2)));
  }
  for (let i = 0; i <= last; i += 1) leads[i] = Math.min(leads[i], before[i] - (i ? tails[i - 1] : 0));
}

function placed(scenes, timeline, leads) {
  const starts = scenes.map((scene, index) =>
    index === 0 ? 0 : Math.max(timeline.speechStart[scene.first] - Math.max(scene.lead, leads[scene.first]), timeline.clipEnd[scene.first - 1]),
  );
  return scenes.map((scene, index) => ({ ...scene, start: starts[index], end: starts[index + 1] ?? timeline.length }));
}

/** The last clause whose clip begins at or before a position; -1 before the first. */
export function clauseAt(timeline, position) {
  let low = 0;
  let high = timeline.count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (timeline.clipStart[middle] <= position) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The silence that is there after a clause, in samples: its pause, and the lead-in of a scene that follows. */
export function silenceAfter(timeline, index) {
  const next = index + 1 < timeline.count ? timeline.speechStart[index + 1] : timeline.length;
  return next - timeline.speechEnd[index];
}

/** Where a position of one timeline lies in another of the same clauses: what sounds goes on, a silence keeps what has
 * passed of it, and ends if it is over. */
export function moved(position, from, to) {
  const index = clauseAt(from, position);
  if (index < 0) return Math.min(position, to.count ? to.clipStart[0] : 0);
  if (position < from.clipEnd[index]) return position + to.speechStart[index] - from.speechStart[index];
  const silent = to.speechEnd[index] + position - from.speechEnd[index];
  return Math.min(silent, index + 1 < to.count ? to.clipStart[index + 1] : to.length);
}

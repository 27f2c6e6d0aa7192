// What part of a timeline is seen: a window of samples on a width of pixels.

const CLOSEST = 1500; // pixels a second: a word fills the page
const STEPS = [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600];
const BETWEEN = 72; // pixels that two labels of the ruler are apart, at least

/** A view on `length` samples: `start` is the first sample seen, `scale` the pixels a sample has. */
export function makeView(rate) {
  const view = {
    rate,
    start: 0,
    scale: 0.001,
    width: 1,
    length: 1,
    x: (sample) => (sample - view.start) * view.scale,
    sample: (x) => view.start + x / view.scale,
    get end() {
      return view.start + view.width / view.scale;
    },
    /** The pixels a second has. */
    get pace() {
      return view.scale * view.rate;
    },
    resize(width, length) {
      const whole = view.scale <= view.least * 1.001;
      Object.assign(view, { width: Math.max(1, width), length: Math.max(1, length) });
      if (whole) view.scale = view.least;
      view.settle();
    },
    /** The scale at which all is seen, with a little air at the end. */
    get least() {
      return (view.width * 0.98) / view.length;
    },
    settle() {
      view.scale = Math.min(CLOSEST / view.rate, Math.max(view.least, view.scale));
      view.start = Math.max(0, Math.min(view.start, view.length - (view.width * 0.98) / view.scale));
    },
    zoom(factor, x = view.width / 2) {
      const under = view.sample(x);
      view.scale *= factor;
      view.settle();
      view.start = under - x / view.scale;
      view.settle();
    },
    pan(pixels) {
      view.start += pixels / view.scale;
      view.settle();
    },
    /** Show this stretch, with some air around it. */
    show(from, until) {
      view.scale = (view.width * 0.8) / Math.max(1, until - from);
      view.settle();
      view.start = (from + until) / 2 - view.width / 2 / view.scale;
      view.settle();
    },
    /** Move as little as needed to have this stretch in sight. */
    reveal(from, until) {
      const air = Math.min((view.width * 0.12) / view.scale, Math.max(0, (view.width / view.scale - (until - from)) / 2));
      if (from - air < view.start) view.start = from - air;
      else if (until + air > view.end) view.start = Math.min(from - air, until + air - view.width / view.scale);
      view.settle();
    },
  };
  return view;
}

/** The seconds between two marks of a ruler at this pace (pixels a second). */
export function rulerStep(pace) {
  return STEPS.find((step) => step * pace >= BETWEEN) ?? STEPS.at(-1);
}

/** The clauses of which something is seen: from the first up to, not including, the last. */
export function seen(timeline, view) {
  const bound = (column, value) => {
    let low = 0;
    let high = timeline.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (column[middle] < value) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const first = bound(timeline.clipEnd, view.start);
  return [Math.max(0, first - 1), Math.min(timeline.count, bound(timeline.clipStart, view.end))];
}

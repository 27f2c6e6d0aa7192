// Sound that is played while it still comes: piece after piece, without a gap.

const SOON = 0.03; // seconds from a piece's coming to its first sample, where nothing sounds before it

/** The samples in a buffer from Python, which may not begin at an even byte. */
export function int16Of(view) {
  return new Int16Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
}

/** What gives the next piece of the sound that Python tells under a key: `{ samples, rate, ended }`. */
export function piecesOf(desk, key) {
  return async () => {
    const { value, buffers } = await desk.ask("hear_more", { key });
    return { ...value, samples: int16Of(buffers[0]) };
  };
}

/** One sound. `outOf(rate)` gives the node that it is played on, `changed()` is called when it begins and when it ends. */
export function makeHearing(outOf, changed = () => {}) {
  const sounding = new Set();
  let isComing = true;
  let isStopped = false;
  let begins = 0; // seconds of the context at which what is heard without a gap began,
  let length = 0; // its samples,
  let pace = 1; // and how many a second has

  function add(samples, rate) {
    const out = outOf(rate);
    const { context } = out;
    if (begins + length / pace < context.currentTime || rate !== pace) {
      begins = Math.ceil((context.currentTime + SOON) * context.sampleRate) / context.sampleRate;
      length = 0;
      pace = rate;
    }
    const buffer = new AudioBuffer({ length: samples.length, sampleRate: rate });
    buffer.copyToChannel(Float32Array.from(samples, (each) => each / 32768), 0);
    const node = new AudioBufferSourceNode(context, { buffer });
    node.connect(out);
    node.onended = () => {
      node.disconnect();
      sounding.delete(node);
      if (!hearing.isHeard) changed();
    };
    node.start(begins + length / rate);
    length += samples.length;
    sounding.add(node);
  }

  const hearing = {
    /** Whether something of it is heard, or still to come. */
    get isHeard() {
      return !isStopped && (isComing || sounding.size > 0);
    },
    /** Play all that `more()` gives; resolves when that has ended, or `stop` was called. */
    async play(more) {
      try {
        changed();
        while (isComing && !isStopped) {
          const { samples, rate, ended } = await more();
          if (samples.length && !isStopped) add(samples, rate);
          isComing = !ended;
        }
      } finally {
        isComing = false;
        if (!hearing.isHeard) changed();
      }
    },
    stop() {
      isStopped = true;
      for (const node of sounding) node.stop();
      changed();
    },
  };
  return hearing;
}

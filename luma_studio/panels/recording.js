// Recordings: one that is chosen or dropped, or made in the page with the microphone; sent to Python piece by piece.

const SENT = 1 << 20; // bytes that are sent at once: far under what a message may have

/** Send a recording; the name that it has there. `tell(share)` hears how far it is, `signal` ends it. What is wrong is thrown. */
export async function sendRecording(file, desk, tell, signal) {
  const key = `${file.name}:${performance.now()}`;
  let start = 0;
  do {
    signal.throwIfAborted();
    const piece = await file.slice(start, start + SENT).arrayBuffer();
    const { value } = await desk.ask("put_recording", { key, name: file.name, size: file.size, start }, piece);
    start += piece.byteLength;
    tell(file.size ? start / file.size : 1);
    if (value) return value;
  } while (start < file.size);
  throw new Error(`${file.name} did not arrive whole. Choose it again.`);
}

const FORMS = { "audio/webm": "webm", "audio/mp4": "m4a", "audio/ogg": "ogg" };

/** A recorder of the microphone: `start()`, then `stop()`, which gives a file. `changed(seconds)` is called while it records. */
export function makeRecorder(changed) {
  let recorder = null;
  let began = 0;
  let ticking = null;
  let pieces = [];

  function end() {
    clearInterval(ticking);
    for (const track of recorder?.stream.getTracks() ?? []) track.stop();
    recorder = null;
  }

  return {
    get isRecording() {
      return recorder !== null;
    },
    /** Begin. What keeps it from that is thrown, as a sentence. */
    async start() {
      const type = Object.keys(FORMS).find((each) => globalThis.MediaRecorder?.isTypeSupported(each));
      if (!navigator.mediaDevices || !type) throw new Error("This browser cannot record here. Record with another program, and choose the file.");
      let stream;
      try {
        stream = await navigator.mediaDevices.getUserMedia({ audio: true });
      } catch (error) {
        throw new Error(error.name === "NotAllowedError" ? "The microphone may not be used. Allow it in the browser’s bar of addresses, and try again." : "No microphone was found. Plug one in, and try again.");
      }
      pieces = [];
      recorder = new MediaRecorder(stream, { mimeType: type });
      recorder.ondataavailable = ({ data }) => pieces.push(data);
      recorder.start(1000);
      began = performance.now();
      ticking = setInterval(() => changed((performance.now() - began) / 1000), 250);
      changed(0);
    },
    /** End; the file of what was recorded. */
    async stop() {
      const type = Object.keys(FORMS).find((each) => recorder.mimeType.startsWith(each));
      const stopped = new Promise((resolve) => { recorder.onstop = resolve; });
      recorder.stop();
      await stopped;
      end();
      const when = new Date().toISOString().slice(0, 19).replaceAll(":", "-").replace("T", " ");
      return new File(pieces, `recorded ${when}.${FORMS[type]}`, { type });
    },
    /** Let go of the microphone. */
    close: end,
  };
}

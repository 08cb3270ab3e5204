// The microphone as blocks of samples at 16 kHz, and samples as a WAV file.
export const RATE = 16000;

/**
 * Ask for the microphone and listen. `onblock(Float32Array)`: mono at `RATE`. Returns {stop()}.
 * The browser resamples: the context runs at 16 kHz. Firefox refuses a microphone of another rate in such a context;
 * there the context keeps the device's rate and the samples are averaged down.
 */
export async function listen(onblock) {
  const media = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: true } });
  let context, source;
  try {
    context = new AudioContext({ sampleRate: RATE });
    source = context.createMediaStreamSource(media);
  } catch {
    await context?.close();
    context = new AudioContext();
    source = context.createMediaStreamSource(media);
  }
  await context.audioWorklet.addModule("/static/js/pcm-worklet.js");
  const tap = new AudioWorkletNode(context, "tap", { numberOfInputs: 1, numberOfOutputs: 1, channelCount: 1 });
  const lower = resampler(context.sampleRate);
  tap.port.onmessage = (event) => onblock(lower(event.data));
  const silent = new GainNode(context, { gain: 0 });
  source.connect(tap).connect(silent).connect(context.destination); // a worklet runs only where something pulls
  await context.resume();
  return {
    async stop() {
      tap.port.onmessage = null;
      for (const track of media.getTracks()) track.stop();
      if (context.state !== "closed") await context.close();
    },
  };
}

/** Averages neighbouring samples, keeping the place between blocks. Nothing to do at `RATE`. */
function resampler(rate) {
  if (rate === RATE) return (block) => block;
  const each = rate / RATE;
  let rest = new Float32Array(0), offset = 0;
  return (block) => {
    const all = new Float32Array(rest.length + block.length);
    all.set(rest);
    all.set(block, rest.length);
    const out = [];
    while (offset + each <= all.length) {
      let sum = 0, count = 0;
      for (let i = Math.floor(offset); i < offset + each; i += 1) { sum += all[i]; count += 1; }
      out.push(sum / count);
      offset += each;
    }
    const used = Math.floor(offset);
    rest = all.slice(used);
    offset -= used;
    return Float32Array.from(out);
  };
}

/** int16 little-endian bytes of samples -1..1. */
export function int16(samples) {
  const out = new DataView(new ArrayBuffer(samples.length * 2));
  samples.forEach((value, i) => out.setInt16(i * 2, Math.max(-1, Math.min(1, value)) * 32767, true));
  return out.buffer;
}

/** Blocks as a 16-bit mono WAV file. */
export function wav(blocks) {
  const count = blocks.reduce((sum, block) => sum + block.length, 0), head = new DataView(new ArrayBuffer(44));
  const text = (at, word) => [...word].forEach((letter, i) => head.setUint8(at + i, letter.charCodeAt(0)));
  text(0, "RIFF"); head.setUint32(4, 36 + count * 2, true); text(8, "WAVEfmt "); head.setUint32(16, 16, true);
  head.setUint16(20, 1, true); head.setUint16(22, 1, true); head.setUint32(24, RATE, true); head.setUint32(28, RATE * 2, true);
  head.setUint16(32, 2, true); head.setUint16(34, 16, true); text(36, "data"); head.setUint32(40, count * 2, true);
  return new Blob([head.buffer, ...blocks.map(int16)], { type: "audio/wav" });
}

/** Root mean square of a block, as 0..1 on a scale of decibels from -60. */
export function levelOf(block) {
  let sum = 0;
  for (const value of block) sum += value * value;
  return Math.max(0, Math.min(1, 1 + (20 * Math.log10(Math.sqrt(sum / Math.max(1, block.length)) + 1e-9)) / 60));
}

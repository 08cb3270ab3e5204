// Record from the microphone; while recording, rolling estimates come over the stream.
import { announce, clock, h } from "./dom.js";
import { closeLive, deviceTrouble, drawLive, openLive, setState } from "./live.js";
import { RATE, levelOf, listen, wav } from "./sound.js";
import { openStream } from "./stream.js";

const LONGEST_S = 300, BARS = 64;

/** Open the panel. `onfile(file)`: the finished recording; `ontrouble(trouble)`; `wanted`: the shown scale. */
export async function microphone({ onfile, ontrouble, wanted, model, streams }) {
  let heard = null, stream = null, blocks = [], seconds = 0, recording = false;
  const parts = openLive("Microphone", { onclose: () => { stream?.close(); heard?.stop(); } });
  const bars = Array.from({ length: BARS }, () => h("i"));
  const time = h("p", { class: "time num" }, clock(0));
  parts.look.append(h("div", { class: "meter", "aria-hidden": "true" }, bars), time);
  const live = h("input", { type: "checkbox", id: "mic-live", checked: streams, disabled: !streams });
  const record = h("button", { type: "button", class: "button", id: "record", disabled: true, onclick: () => (recording ? finish() : begin()) }, "Record");
  parts.controls.append(record, h("label", { class: "check", for: "mic-live" }, live, " Scores while I speak"));
  parts.hint.textContent = streams ? "The sound goes to the server while you record, and the whole recording once more when you stop. The server keeps neither."
    : "The recording goes to the server when you stop. The server does not keep it.";

  function begin() {
    blocks = [];
    seconds = 0;
    recording = true;
    record.textContent = "Stop and score";
    record.classList.add("stop");
    live.disabled = true;
    if (live.checked) stream = openStream({ model, onestimate: (row) => drawLive(parts, row, wanted()), onend: (problem) => { if (problem && recording) parts.hint.textContent = problem; } });
    setState("recording");
    announce("Recording.");
  }

  function finish() {
    if (!recording) return;
    recording = false;
    stream?.close();
    const file = new File([wav(blocks)], `recording-${new Date().toTimeString().slice(0, 8).replaceAll(":", "")}.wav`, { type: "audio/wav" });
    closeLive();
    announce("Recording stopped.");
    onfile(file);
  }

  function take(block) {
    const level = levelOf(block);
    bars.push(bars.shift());
    bars.at(-1).parentNode.append(bars.at(-1));
    bars.at(-1).style.setProperty("--level", level.toFixed(3));
    bars.at(-1).classList.toggle("kept", recording);
    if (!recording) return;
    blocks.push(block);
    seconds += block.length / RATE;
    time.textContent = clock(seconds);
    stream?.send(block);
    if (seconds >= LONGEST_S) finish();
  }

  try {
    heard = await listen(take);
    if (!parts.look.isConnected) { heard.stop(); return; }
    record.disabled = false;
    record.focus();
    setState("ready");
  } catch (error) {
    closeLive();
    ontrouble(deviceTrouble(error, "microphone"));
  }
}

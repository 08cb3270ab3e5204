// Rolling estimates of what is being said, over the server's web socket.
import { keyOf, streamAddress } from "./api.js";
import { RATE, int16 } from "./sound.js";

/**
 * Open a stream. `onestimate(row)`: each rolling estimate; `onend(problem)`: "" after a wanted end, else a sentence.
 * Returns {send(samples), close()}.
 */
export function openStream({ model = "", onestimate, onend }) {
  const parameters = { sample_rate: RATE, values: "all" };
  if (model) parameters.model = model;
  if (keyOf()) parameters.key = keyOf();
  const socket = new WebSocket(streamAddress(parameters));
  socket.binaryType = "arraybuffer";
  const waiting = [];
  let wanted = false, problem = "";
  socket.onopen = () => { while (waiting.length) socket.send(waiting.shift()); };
  socket.onmessage = (event) => {
    const told = JSON.parse(event.data);
    if (told.error) problem = told.error.message ?? String(told.error);
    const rows = told.estimates ?? (told.estimate ? [told.estimate] : told.status ? [told] : []);
    for (const row of rows) onestimate(row);
  };
  socket.onclose = (event) => onend(wanted || event.code === 1000 ? "" : problem || event.reason || "The stream of live scores ended. The recording goes on.");
  return {
    send(samples) {
      const block = int16(samples);
      if (socket.readyState === WebSocket.OPEN) socket.send(block);
      else if (socket.readyState === WebSocket.CONNECTING && waiting.length < 200) waiting.push(block);
    },
    close() {
      wanted = true;
      if (socket.readyState <= WebSocket.OPEN) socket.close(1000);
    },
  };
}

// Scores over the time of a recording, with a cursor that follows playback and moves it.
import { clock, h, s, signed, percent } from "./dom.js";
import { middle, peaks, rowAt } from "./readings.js";
import { nameOf } from "./setup.js";

const LEFT = 40, RIGHT = 14, TOP = 14, BOTTOM = 26, HEIGHT = 210;
const COLORS = 5; // classes l0 to l4, then the chosen emotion as l5

/**
 * Draw into `place`. `rows`: of one subject; `scale`; `duration`: seconds; `wave`: peaks 0..1 or null; `picked`: one more
 * emotion's key; `onseek(seconds)`. Returns {move(seconds)}.
 */
export function timeline(place, { rows, scale, duration, wave, picked, onseek, label }) {
  const keys = peaks(rows, scale);
  if (picked && !keys.includes(picked) && rows.some((row) => row.scores[scale].has(picked))) keys.push(picked);
  const end = Math.max(duration || 0, ...rows.map((row) => row.end ?? row.start ?? 0), 0.1);
  const width = Math.max(280, Math.round(place.clientWidth || 600));
  const values = rows.flatMap((row) => keys.map((key) => row.scores[scale].get(key)).filter((value) => value !== undefined));
  const low = scale === "calibrated" ? 0 : Math.min(0, ...values), high = scale === "calibrated" ? 1 : Math.max(0.5, ...values);
  const x = (time) => LEFT + (time / end) * (width - LEFT - RIGHT);
  const y = (value) => TOP + ((high - value) / (high - low)) * (HEIGHT - TOP - BOTTOM);

  const cursor = s("g", { class: "cursor" }, s("path", { d: `M0 ${TOP - 6}V${HEIGHT - BOTTOM}` }), s("circle", { cy: TOP - 6, r: 5 }));
  const svg = s("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, "aria-hidden": "true" },
    wave ? waveform(wave, x(0), x(end)) : null, windows(rows, x), ...axes(low, high, end, x, y, scale, width),
    ...keys.map((key, place) => line(rows, key, scale, x, y, place)), cursor);
  const slider = h("div", {
    class: "plot", role: "slider", tabindex: "0", "aria-label": `Moment in ${label}`, "aria-valuemin": "0", "aria-valuemax": end.toFixed(1),
  }, svg);
  let now = 0;

  function move(time) {
    now = Math.min(Math.max(0, time), end);
    cursor.setAttribute("transform", `translate(${x(now).toFixed(1)} 0)`);
    const row = rowAt(rows, now), best = row && keys.map((key) => [key, row.scores[scale].get(key) ?? -Infinity]).sort((a, b) => b[1] - a[1])[0];
    slider.setAttribute("aria-valuenow", now.toFixed(1));
    slider.setAttribute("aria-valuetext", `${clock(now)}${best ? `, ${nameOf(best[0])} ${shown(best[1], scale)}` : ""}`);
    place.dataset.time = now.toFixed(2);
  }

  const seek = (time) => { move(time); onseek(now); };
  const pointed = (event) => ((event.clientX - svg.getBoundingClientRect().left) / svg.getBoundingClientRect().width * width - LEFT) / (width - LEFT - RIGHT) * end;
  slider.addEventListener("pointerdown", (event) => { slider.setPointerCapture(event.pointerId); seek(pointed(event)); });
  slider.addEventListener("pointermove", (event) => { if (slider.hasPointerCapture(event.pointerId)) seek(pointed(event)); });
  slider.addEventListener("keydown", (event) => {
    const step = stepOf(rows, end);
    const to = { ArrowRight: now + step, ArrowUp: now + step, ArrowLeft: now - step, ArrowDown: now - step, PageUp: now + end / 10, PageDown: now - end / 10, Home: 0, End: end }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    seek(to);
  });
  place.replaceChildren(slider, legend(keys, rows, scale), numbers(rows, keys, scale, seek));
  move(0);
  place.dataset.rows = rows.length;
  return { move, seek, time: () => now };
}

const shown = (value, scale) => (scale === "calibrated" ? percent(value) : signed(value));

/** Arrow keys go from frame to frame, or by half a second. */
function stepOf(rows, end) {
  const frames = rows.filter((row) => row.window === null);
  return frames.length > 1 ? Math.max(0.1, (frames.at(-1).start - frames[0].start) / (frames.length - 1)) : Math.min(0.5, end / 20);
}

/** Voice windows hold for their whole length: steps. Frames are joined, with gaps where no face was found. */
function line(rows, key, scale, x, y, place) {
  const known = rows.filter((row) => row.scores[scale].has(key) && row.start !== null);
  const steps = known.map((row, i) => (i ? row.start - known[i - 1].start : 0)).slice(1).sort((a, b) => a - b);
  const usual = steps[Math.floor(steps.length / 2)] ?? 0;
  let path = "", last = null;
  for (const row of known) {
    const height = y(row.scores[scale].get(key)).toFixed(1);
    if (row.window !== null && row.end !== null) {
      const joined = last !== null && row.start - last.end < 0.05;
      path += `${joined ? "L" : "M"}${x(row.start).toFixed(1)} ${height}L${x(row.end).toFixed(1)} ${height}`;
    } else path += `${last === null || row.start - last.start > 2.5 * usual + 0.5 ? "M" : "L"}${x(row.start).toFixed(1)} ${height}`;
    last = row;
  }
  const dots = known.length <= 120 ? known.filter((row) => row.window === null).map((row) => s("circle", { cx: x(middle(row)).toFixed(1), cy: y(row.scores[scale].get(key)).toFixed(1), r: 2.4, class: "dot" })) : [];
  return s("g", { class: `line l${Math.min(place, COLORS)}` }, s("path", { d: path, fill: "none" }), ...dots);
}

/** What was scored: windows of speech as bands. */
function windows(rows, x) {
  return s("g", { class: "windows" }, ...rows.filter((row) => row.window !== null && row.end !== null).map((row, place) =>
    s("rect", { x: x(row.start).toFixed(1), y: TOP, width: Math.max(1, x(row.end) - x(row.start)).toFixed(1), height: HEIGHT - TOP - BOTTOM, class: place % 2 ? "odd" : "even" })));
}

function waveform(wave, from, to) {
  const middleY = (TOP + HEIGHT - BOTTOM) / 2, half = (HEIGHT - TOP - BOTTOM) / 2 - 2;
  const path = Array.from(wave, (peak, i) => {
    const at = (from + ((i + 0.5) / wave.length) * (to - from)).toFixed(1), reach = Math.max(0.6, peak * half);
    return `M${at} ${(middleY - reach).toFixed(1)}V${(middleY + reach).toFixed(1)}`;
  }).join("");
  return s("path", { class: "wave", d: path, fill: "none", "stroke-width": Math.max(1, ((to - from) / wave.length) * 0.62).toFixed(2) });
}

function axes(low, high, end, x, y, scale, width) {
  const parts = [];
  for (const value of ticks(low, high, 4)) {
    parts.push(s("path", { class: Math.abs(value) < 1e-9 ? "zero" : "grid", d: `M${LEFT} ${y(value).toFixed(1)}H${width - RIGHT}` }));
    parts.push(s("text", { x: LEFT - 6, y: (y(value) + 4).toFixed(1), "text-anchor": "end" }, scale === "calibrated" ? `${Math.round(value * 100)} %` : String(+value.toFixed(2)).replace("-", "−")));
  }
  for (const second of ticks(0, end, Math.max(3, Math.floor(width / 110)))) {
    if (x(second) < width - RIGHT + 1) parts.push(s("text", { x: x(second).toFixed(1), y: HEIGHT - 6, "text-anchor": x(second) > width - 30 ? "end" : "middle" }, end < 10 ? `${+second.toFixed(1)} s` : clock(second).replace(/\.0$/, "")));
  }
  return parts;
}

function ticks(low, high, count) {
  const rough = (high - low) / count, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough);
  const out = [];
  for (let value = Math.ceil(low / step - 1e-9) * step; value <= high + 1e-9; value += step) out.push(value);
  return out;
}

function legend(keys, rows, scale) {
  return h("ul", { class: "lines" }, keys.map((key, place) => {
    const values = rows.map((row) => row.scores[scale].get(key)).filter((value) => value !== undefined);
    const range = values.length > 1 ? `${shown(Math.min(...values), scale)} to ${shown(Math.max(...values), scale)}` : shown(values[0], scale);
    return h("li", {}, s("svg", { viewBox: "0 0 26 8", width: 26, height: 8, "aria-hidden": "true", class: `line l${Math.min(place, COLORS)}` }, s("path", { d: "M0 4H26" })), ` ${nameOf(key)} `, h("span", { class: "soft num" }, range));
  }));
}

/** The same as a table, a button for every moment. */
function numbers(rows, keys, scale, seek) {
  const body = rows.slice(0, 400).map((row) => h("tr", {},
    h("th", { scope: "row" }, h("button", { type: "button", class: "link", onclick: () => seek(middle(row)) }, row.window !== null && row.end !== null ? `${clock(row.start)}–${clock(row.end)}` : clock(row.start ?? 0))),
    keys.map((key) => h("td", {}, row.scores[scale].has(key) ? shown(row.scores[scale].get(key), scale) : "–"))));
  return h("details", { class: "as-table" }, h("summary", {}, `Numbers over time (${rows.length} ${rows[0]?.window !== null ? "window" : "frame"}${rows.length > 1 ? "s" : ""})`),
    h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Numbers over time" }, h("table", { class: "plain-table" }, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Time"), keys.map((key) => h("th", { scope: "col" }, nameOf(key))))), h("tbody", {}, body))));
}

/** Peaks 0..1 of a recording in `count` columns, null when the browser cannot decode it or it is over ten minutes. */
export async function waveOf(file, count = 240) {
  if (file.size > 60e6) return null;
  try {
    const sound = await new OfflineAudioContext(1, 1, 16000).decodeAudioData(await file.arrayBuffer());
    if (sound.duration > 600) return null;
    const samples = sound.getChannelData(0), out = new Float32Array(count), each = samples.length / count;
    let most = 1e-4;
    for (let i = 0; i < count; i += 1) {
      let peak = 0;
      for (let k = Math.floor(i * each); k < (i + 1) * each; k += 4) peak = Math.max(peak, Math.abs(samples[k] || 0));
      out[i] = peak;
      most = Math.max(most, peak);
    }
    return out.map((peak) => peak / most);
  } catch { return null; }
}

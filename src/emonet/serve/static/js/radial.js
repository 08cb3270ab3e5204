// The 40 emotions around a circle in 7 groups: bars outward from the ring of neutral, inward below it.
import { percent, s, signed } from "./dom.js";
import { extentOf, ranked, standing } from "./readings.js";
import { EMOTIONS, GROUPS } from "./setup.js";
import { isWeak } from "./cards.js";

const GAP = 5.2; // degrees between groups
const WIDE = { size: 760, inner: 66, zero: 106, outer: 238, label: 252, font: 15 };
const NARROW = { size: 400, inner: 46, zero: 72, outer: 180, label: 0, font: 13 };

const point = (radius, degrees) => {
  const turn = ((degrees - 90) * Math.PI) / 180;
  return [radius * Math.cos(turn), radius * Math.sin(turn)];
};
const at = (radius, degrees) => point(radius, degrees).map((value) => value.toFixed(2)).join(" ");

/** Degrees at which each emotion's sector starts, and each group's arc. */
function layout() {
  const step = (360 - GAP * GROUPS.length) / EMOTIONS.length;
  let angle = GAP / 2;
  const starts = [], arcs = GROUPS.map(() => [Infinity, -Infinity]);
  EMOTIONS.forEach((emotion, place) => {
    if (place && emotion.group !== EMOTIONS[place - 1].group) angle += GAP;
    starts.push(angle);
    arcs[emotion.group] = [Math.min(arcs[emotion.group][0], angle), Math.max(arcs[emotion.group][1], angle + step)];
    angle += step;
  });
  return { step, starts, arcs };
}
const PLACES = layout();

function sector(from, to, start, end) {
  const [low, high] = from < to ? [from, to] : [to, from];
  return `M${at(low, start)}L${at(high, start)}A${high} ${high} 0 0 1 ${at(high, end)}L${at(low, end)}A${low} ${low} 0 0 0 ${at(low, start)}Z`;
}

const arc = (radius, start, end) => `M${at(radius, start)}A${radius} ${radius} 0 ${end - start > 180 ? 1 : 0} 1 ${at(radius, end)}`;

/**
 * An SVG of a view. `other`: a second view, drawn as outlines. `card`: of the view's model. `selected`: a key.
 * `onselect(key)`: called by pointer and arrow keys. `narrow`: without the names around it.
 */
export function radial(view, { other = null, card = null, selected = "", onselect = null, narrow = false } = {}) {
  const form = narrow ? NARROW : WIDE, half = form.size / 2;
  const [low, high] = extentOf(view, other);
  const radius = (value) => value >= 0 ? form.zero + (value / high) * (form.outer - form.zero) : form.zero - Math.min(1, value / Math.min(low, -0.01)) * (form.zero - form.inner);
  const best = standing(view, 5);
  const parts = rings(form, high, radius, view.scale);
  for (const [group, [start, end]] of PLACES.arcs.entries()) {
    parts.push(s("path", { d: arc(form.outer + 6, start, end), class: `arc f${group}`, fill: "none", "stroke-width": 4, "stroke-linecap": "round" }));
  }
  EMOTIONS.forEach((emotion, place) => parts.push(spoke(emotion, place, { view, other, card, selected, form, radius, narrow, best })));
  const chosen = view.values.has(selected) || EMOTIONS.some((emotion) => emotion.key === selected) ? selected : best[0]?.key;
  parts.push(...centre(view, chosen, form));
  const svg = s("svg", {
    viewBox: `${-half} ${-half} ${form.size} ${form.size}`, class: "radial", role: "img", tabindex: onselect ? "0" : null,
    "aria-label": summary(view, other),
  }, ...parts);
  if (onselect) listen(svg, selected || best[0]?.key, onselect);
  return svg;
}

function rings(form, high, radius, scale) {
  const out = [s("circle", { r: form.outer, class: "plate" })];
  for (const share of [0.25, 0.5, 0.75, 1]) {
    out.push(s("circle", { r: radius(high * share).toFixed(1), class: "ring", fill: "none" }));
  }
  out.push(s("circle", { r: form.zero, class: "ring zero", fill: "none" }));
  const share = scale === "calibrated" ? (value) => percent(value) : (value) => String(+value.toFixed(1));
  for (const value of [0, high / 2, high]) {
    out.push(s("text", { class: "ring-value", "text-anchor": "middle", "font-size": form.font * 0.72, y: (-radius(value) + 4).toFixed(1) }, share(value)));
  }
  return out;
}

function spoke(emotion, place, { view, other, card, selected, form, radius, narrow, best }) {
  const start = PLACES.starts[place], end = start + PLACES.step, centre = start + PLACES.step / 2;
  const value = view.values.get(emotion.key), known = value !== undefined;
  const rank = best.findIndex((item) => item.key === emotion.key);
  const group = s("g", { class: `spoke c${emotion.group}${emotion.key === selected ? " selected" : ""}${known ? "" : " unknown"}`, "data-key": emotion.key });
  group.append(s("title", {}, known ? `${emotion.name} ${said(view, emotion.key)}` : `${emotion.name}: ${absent(view, emotion.key)}`));
  group.append(s("path", { d: sector(form.inner, form.outer, start, end), class: "field" }));
  if (known) {
    const reach = Math.max(form.inner, Math.min(form.outer, radius(value)));
    if (Math.abs(reach - form.zero) > 0.4) {
      group.append(s("path", { d: sector(form.zero, reach, start + 0.55, end - 0.55), class: `bar f${emotion.group}${value < 0 ? " below" : ""}${isWeak(card, emotion.key) ? " second" : ""}` }));
    }
  } else {
    const [x, y] = point(form.zero + 9, centre);
    group.append(s("circle", { cx: x.toFixed(1), cy: y.toFixed(1), r: 2.6, class: "none", fill: "none" }));
  }
  const second = other?.values.get(emotion.key);
  if (second !== undefined) {
    const reach = Math.max(form.inner, Math.min(form.outer, radius(second)));
    group.append(s("path", { d: arc(reach, start - 0.2, end + 0.2), class: "other", fill: "none" }));
  }
  if (!narrow) group.append(label(emotion, centre, form, rank, known));
  else if (rank >= 0) {
    const [x, y] = point(form.outer + 6, centre);
    group.append(s("circle", { cx: x.toFixed(1), cy: y.toFixed(1), r: 9, class: `badge f${emotion.group}` }));
    group.append(s("text", { x: x.toFixed(1), y: (y + 4).toFixed(1), class: "badge-number", "text-anchor": "middle", "font-size": 11.5 }, String(rank + 1)));
  }
  return group;
}

function label(emotion, degrees, form, rank, known) {
  const [x, y] = point(form.label, degrees), left = degrees > 180;
  const turn = left ? degrees + 90 : degrees - 90;
  return s("text", {
    transform: `translate(${x.toFixed(1)} ${y.toFixed(1)}) rotate(${turn.toFixed(1)})`, "text-anchor": left ? "end" : "start",
    dy: "0.35em", "font-size": form.font, class: `name${rank >= 0 ? " best" : ""}${known ? "" : " none-name"}`,
  }, emotion.short);
}

/** The chosen emotion in the middle. */
function centre(view, key, form) {
  const emotion = EMOTIONS.find((item) => item.key === key);
  if (!emotion) return [];
  const lines = emotion.short.length > 12 && emotion.short.includes(" ") ? emotion.short.split(" ") : [emotion.short];
  const value = view.values.get(key), size = form.inner / 4.1;
  const small = Math.min(size, (form.inner * 1.75) / (Math.max(...lines.map((line) => line.length)) * 0.56));
  const texts = lines.map((line, place) => s("text", { class: "centre-name", "text-anchor": "middle", y: (-4 - (lines.length - 1 - place) * small * 1.1).toFixed(1), "font-size": small.toFixed(1) }, line));
  const shown = value === undefined ? "not judged" : view.scale === "calibrated" ? percent(value) : signed(value);
  texts.push(s("text", { class: "centre-value", "text-anchor": "middle", y: (size * 1.25).toFixed(1), "font-size": value === undefined ? (size * 0.75).toFixed(1) : (size * 1.35).toFixed(1) }, shown));
  return texts;
}

/** A value in words, on the view's scale. */
export function said(view, key) {
  const value = view.values.get(key);
  if (value === undefined) return absent(view, key);
  return view.scale === "calibrated" ? percent(value) : signed(value);
}

/** Why there is no value: the model does not judge the emotion, or has no calibration for it. */
export const absent = (view, key) => (view.raw.has(key) ? "not calibrated" : "not judged");

function summary(view, other) {
  const best = ranked(view, 5).map((emotion) => `${emotion.name} ${said(view, emotion.key)}`).join(", ");
  const missing = EMOTIONS.filter((emotion) => !view.raw.has(emotion.key)).length;
  return `Radial chart of ${view.label}${other ? ` compared with ${other.label}` : ""}. Strongest: ${best}. ${missing} emotions are not judged. Arrow keys move from one emotion to the next; the table below has every number.`;
}

function listen(svg, chosen, onselect) {
  svg.addEventListener("click", (event) => {
    const key = event.target.closest("[data-key]")?.dataset.key;
    if (key) onselect(key, false);
  });
  svg.addEventListener("keydown", (event) => {
    const move = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const place = EMOTIONS.findIndex((emotion) => emotion.key === chosen);
    const next = event.key === "Home" ? 0 : event.key === "End" ? EMOTIONS.length - 1 : move ? (place + move + EMOTIONS.length) % EMOTIONS.length : null;
    if (next === null) return;
    event.preventDefault();
    onselect(EMOTIONS[next].key, true);
  });
}

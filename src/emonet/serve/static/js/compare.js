// The second view: another model, another moment, or another face, voice or file.
import { h, percent, signed } from "./dom.js";
import { cardsFor } from "./cards.js";
import { momentsOf, rowAt } from "./readings.js";
import { EMOTIONS } from "./setup.js";

/**
 * What B may be. Each choice: {id, label, group, subject, reading, moment} or {model} for one that must be scored first.
 */
export function choices({ reading, subject, moment, pins, readings }) {
  const out = [];
  if (subject.timed && momentsOf(subject).length > 1) {
    if (moment !== null) out.push({ id: "whole", group: "This one", label: `${subject.label}, whole`, reading, subject, moment: null });
    for (const pin of pins) out.push({ id: `pin-${pin.id}`, group: "Kept moments", label: pin.label, reading: pin.reading, subject: pin.subject, moment: pin.moment });
  }
  for (const card of cardsFor(subject.modality)) {
    if (card.id !== subject.model) out.push({ id: `model-${card.id}`, group: "Another model on the same", label: card.title ?? card.id, reading, model: card.id });
  }
  for (const other of readings) {
    for (const item of other.subjects ?? []) {
      if (item.modality !== subject.modality || (other === reading && item.key === subject.key)) continue;
      out.push({ id: `view-${other.id}-${item.key}`, group: other === reading ? "In this file" : "Other files", label: other === reading ? item.label : `${other.name}, ${item.label}`, reading: other, subject: item, moment: null });
    }
  }
  return out;
}

/** The panel. `onchoose(id)`, `onpin()`, `onclose()`. */
export function comparePanel({ options, chosen, a, b, canPin, onchoose, onpin, onclose, busy }) {
  const groups = Map.groupBy ? Map.groupBy(options, (item) => item.group) : grouped(options);
  const select = h("select", { id: "compare-with", onchange: (event) => onchoose(event.target.value) }, h("option", { value: "" }, options.length ? "Choose …" : "Nothing to compare with yet"),
    [...groups].map(([label, items]) => h("optgroup", { label }, items.map((item) => h("option", { value: item.id, selected: item.id === chosen }, item.label)))));
  return [
    h("div", { class: "compare-head" },
      h("p", { class: "pair" }, h("span", { class: "key a" }, h("b", {}, "A"), ` ${a.label}`), h("label", { class: "key b" }, h("b", {}, "B"), " ", select)),
      h("div", { class: "compare-tools" }, canPin ? h("button", { type: "button", class: "button quiet small", id: "pin", onclick: onpin }, "Keep this moment") : null,
        h("button", { type: "button", class: "plain", onclick: onclose }, "End comparison"))),
    busy ? h("p", { class: "soft" }, h("span", { class: "spinner", "aria-hidden": "true" }), " Scoring with the other model …") : b ? differences(a, b) : h("p", { class: "soft" }, advice(options, canPin)),
  ];
}

const advice = (options, canPin) => options.length ? "Choose what to see beside it." : canPin ? "Move the cursor, keep a moment, then move on: the two can then be compared."
  : "Open another file with a face or a voice of the same kind. To compare models, start the server with more than one.";

function grouped(options) {
  const out = new Map();
  for (const item of options) out.set(item.group, [...(out.get(item.group) ?? []), item]);
  return out;
}

/** The emotions that differ most, and a word where the two scales are not the same. */
function differences(a, b) {
  const both = EMOTIONS.filter((emotion) => a.values.has(emotion.key) && b.values.has(emotion.key));
  const list = both.map((emotion) => [emotion, a.values.get(emotion.key) - b.values.get(emotion.key)]).sort((x, y) => Math.abs(y[1]) - Math.abs(x[1])).slice(0, 5);
  const say = (value) => (a.scale === "calibrated" ? `${value < 0 ? "−" : "+"}${percent(Math.abs(value))}` : signed(value));
  const warning = a.model !== b.model ? "Two models, two scales: compare the order of the emotions, not the size of the numbers." : a.scale !== b.scale ? "The two are on different scales." : "";
  return h("div", { class: "differences" }, warning ? h("p", { class: "warning" }, warning) : null,
    list.length ? h("p", {}, h("span", { class: "soft" }, "Largest differences, A − B: "), ...list.map(([emotion, value]) => h("span", { class: `pill c${emotion.group}` }, `${emotion.name} `, h("b", { class: "num" }, say(value))))) : h("p", { class: "soft" }, "No emotion is judged in both."));
}

/** The rows of a choice: all, or those of its moment. */
export const rowsOf = (choice) => (choice.moment === null || choice.moment === undefined ? choice.subject.rows : [rowAt(momentsOf(choice.subject), choice.moment)].filter(Boolean));

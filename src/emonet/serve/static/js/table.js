// The numbers: one row per emotion, sortable, with the spread over time and how well the model was measured.
import { h, percent, signed } from "./dom.js";
import { cardOf, evidenceOf, isWeak, reasonMissing, reliabilityOf } from "./cards.js";
import { extentOf } from "./readings.js";
import { absent } from "./radial.js";
import { ATTRIBUTES, EMOTIONS, GROUPS } from "./setup.js";

/** The table of a view. `sort`: {by, down}; `onsort(by)`, `onselect(key)`. */
export function scoreTable(view, { other = null, sort, selected = "", onsort, onselect }) {
  const card = cardOf(view.model), span = extentOf(view, other);
  const columns = [["name", "Emotion"], ["value", view.scale === "calibrated" ? "Probability" : "Strength"]];
  if (other) columns.push(["difference", "A − B"]);
  else if (view.scale !== "calibrated" && view.chance.size) columns.push(["chance", "Probability"]);
  columns.push(["reliability", "Reliability"]);
  const head = h("tr", { role: "row" }, columns.map(([by, name]) => heading(by, name, sort, onsort)));
  const rows = sorted(view, other, card, sort).map((emotion) => row(emotion, { view, other, card, span, selected, onselect, columns }));
  return h("table", { class: `scores${other ? " two" : ""}`, role: "table", "data-sort": `${sort.by}${sort.down ? "-down" : ""}` },
    h("caption", { class: "sr" }, `Scores of ${view.label}${other ? ` (A) and ${other.label} (B)` : ""}. The buttons in the header sort it.`),
    h("thead", { role: "rowgroup" }, head), h("tbody", { role: "rowgroup" }, rows));
}

function heading(by, name, sort, onsort) {
  const direction = sort.by === by ? (sort.down ? "descending" : "ascending") : "none";
  return h("th", { scope: "col", role: "columnheader", "aria-sort": direction, class: `c-${by}` },
    h("button", { type: "button", "data-by": by, onclick: () => onsort(by) }, name));
}

function sorted(view, other, card, { by, down }) {
  const turn = down ? -1 : 1;
  const number = {
    value: (key) => view.values.get(key),
    chance: (key) => view.chance.get(key),
    difference: (key) => difference(view, other, key),
    // Measured on people's labels first; within that, by the figure.
    reliability: (key) => { const found = reliabilityOf(card, key); return found && view.raw.has(key) ? found.value + (isWeak(card, key) ? 0 : 2) : undefined; },
  }[by];
  if (!number) return down ? [...EMOTIONS].sort((a, b) => b.name.localeCompare(a.name)) : by === "name" ? [...EMOTIONS].sort((a, b) => a.name.localeCompare(b.name)) : EMOTIONS;
  // What has no value is last in either direction.
  return [...EMOTIONS].sort((a, b) => {
    const one = number(a.key), two = number(b.key);
    if (one === undefined || two === undefined) return (one === undefined) - (two === undefined);
    return (one - two) * turn || a.name.localeCompare(b.name);
  });
}

const difference = (view, other, key) => {
  const one = view.values.get(key), two = other?.values.get(key);
  return one === undefined || two === undefined ? undefined : one - two;
};

function row(emotion, { view, other, card, span, selected, onselect, columns }) {
  const { key } = emotion, known = view.values.has(key), why = reasonMissing(card, key);
  const cells = [
    h("th", { scope: "row", role: "rowheader", class: `c-name g${emotion.group}` },
      h("button", { type: "button", class: "pick", "aria-pressed": String(key === selected), onclick: () => onselect(key, false), title: emotion.words.join(", ") },
        h("i", { class: "dot", "aria-hidden": "true" }), h("span", {}, ...breakable(emotion.name), h("span", { class: "sr" }, `, ${GROUPS[emotion.group].name}`)))),
    h("td", { role: "cell", class: "c-value" }, known || other?.values.has(key) ? bars(emotion, view, other, card, span) : h("span", { class: "none", title: why }, absent(view, key))),
  ];
  for (const [by] of columns.slice(2)) {
    if (by === "chance") cells.push(h("td", { role: "cell", class: "c-chance" }, view.chance.has(key) ? percent(view.chance.get(key)) : h("span", { class: "none" }, known ? "–" : "")));
    if (by === "difference") {
      const value = difference(view, other, key);
      cells.push(h("td", { role: "cell", class: "c-difference" }, value === undefined ? h("span", { class: "none" }, "–") : view.scale === "calibrated" ? `${signed(value * 100, 0)} %` : signed(value)));
    }
    if (by === "reliability") cells.push(h("td", { role: "cell", class: "c-reliability" }, view.raw.has(key) ? reliability(card, key) : h("details", { class: "why" }, h("summary", {}, "why"), h("p", {}, why || "This model has no score for it."))));
  }
  return h("tr", { role: "row", "data-key": key, "data-known": String(known), class: key === selected ? "selected" : null }, cells);
}

const breakable = (name) => name.split("/").flatMap((part, place) => (place ? ["/", document.createElement("wbr"), part] : [part]));

/** One bar, or two above each other, with the spread over time as a thin line. */
function bars(emotion, view, other, card, span) {
  const weak = isWeak(card, emotion.key);
  return [view, other].filter(Boolean).map((shown, place) => {
    const value = shown.values.get(emotion.key);
    if (value === undefined) return h("span", { class: "line" }, h("span", { class: "none" }, `${place ? "B" : "A"}: ${absent(shown, emotion.key)}`));
    const zero = share(0, span), end = share(value, span), spread = shown.spread.get(emotion.key);
    const text = shown.scale === "calibrated" ? percent(value) : signed(value);
    return h("span", { class: `line${place ? " second-line" : ""}` },
      other ? h("b", { class: "which" }, place ? "B" : "A") : null,
      h("span", { class: "track", "aria-hidden": "true", style: { "--z": `${zero}%` } },
        h("i", { class: `f${emotion.group}${value < 0 ? " below" : ""}${weak ? " second" : ""}${place ? " b" : ""}`, style: { left: `${Math.min(zero, end)}%`, width: `${Math.abs(end - zero)}%` } }),
        spread ? h("u", { style: { left: `${share(spread[0], span)}%`, width: `${share(spread[1], span) - share(spread[0], span)}%` } }) : null),
      h("span", { class: "value" }, text),
      spread ? h("span", { class: "sr" }, `, most moments ${signed(spread[0])} to ${signed(spread[1])}`) : null,
      weak && !place ? h("span", { class: "sr" }, ", weaker evidence") : null);
  });
}

const share = (value, [low, high]) => (Math.min(Math.max(value, low), high) - low) / Math.max(high - low, 1e-6) * 100;

function reliability(card, key) {
  const found = reliabilityOf(card, key);
  if (!found) return h("span", { class: "none" }, card ? "not measured" : "unknown");
  const place = (value) => Math.max(0, Math.min(100, (value - found.floor) / (1 - found.floor) * 100));
  const hint = [`${found.title} ${found.value.toFixed(2)}, 95 % interval ${found.low.toFixed(2)} to ${found.high.toFixed(2)}, n = ${found.n}, ${found.data}`, found.note, evidenceOf(card, key)].filter(Boolean).join("; ");
  return h("span", { class: `reliability${isWeak(card, key) ? " weak" : ""}`, title: hint },
    h("span", { class: "gauge", "aria-hidden": "true" },
      h("u", { style: { left: `${place(found.low)}%`, width: `${Math.max(1, place(found.high) - place(found.low))}%` } }), h("i", { style: { left: `${place(found.value)}%` } })),
    h("span", { class: "figure" }, `${found.title} ${found.value.toFixed(2)}`, h("span", { class: "sr" }, ` between ${found.low.toFixed(2)} and ${found.high.toFixed(2)}`)),
    h("span", { class: "word" }, found.word));
}

/** The attributes of a view (valence, arousal, speed …) on their own scales; null when the model has none. */
export function attributeTable(view) {
  const known = ATTRIBUTES.filter((item) => view.raw.has(item.key));
  if (!known.length) return null;
  return h("table", { class: "scores attributes", role: "table" }, h("caption", {}, "Attributes, each on its own scale"),
    h("tbody", { role: "rowgroup" }, known.map((item) => {
      const value = view.raw.get(item.key), zero = share(Math.max(0, item.low), [item.low, item.high]), end = share(value, [item.low, item.high]);
      return h("tr", { role: "row" }, h("th", { scope: "row", role: "rowheader", class: "c-name" }, item.name, h("span", { class: "soft" }, ` ${item.ends[0]} – ${item.ends[1]}`)),
        h("td", { role: "cell", class: "c-value" }, h("span", { class: "line" }, h("span", { class: "track", "aria-hidden": "true", style: { "--z": `${zero}%` } },
          h("i", { class: "attribute", style: { left: `${Math.min(zero, end)}%`, width: `${Math.abs(end - zero)}%` } })), h("span", { class: "value" }, signed(value)))));
    })));
}

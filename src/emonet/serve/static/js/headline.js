// The strongest emotions of a view in a few words.
import { h, percent } from "./dom.js";
import { cardOf, isWeak, reliabilityOf } from "./cards.js";
import { said } from "./radial.js";
import { standing } from "./readings.js";

/** A short ranked list; `numbered` when the chart bears the numbers. */
export function headline(view, { count = 3, numbered = false, onselect = null } = {}) {
  const best = standing(view, count), card = cardOf(view.model);
  if (!best.length) return h("p", { class: "soft empty" }, "Nothing stands above neutral.");
  return h(numbered ? "ol" : "ul", { class: `best${numbered ? " numbered" : ""}` }, best.map((emotion, place) => {
    const found = reliabilityOf(card, emotion.key), chance = view.scale !== "calibrated" ? view.chance.get(emotion.key) : undefined;
    const words = [chance === undefined ? null : percent(chance), isWeak(card, emotion.key) ? "weaker evidence" : found ? `${found.title} ${found.value.toFixed(2)}` : "not measured"].filter(Boolean);
    const inside = [h("b", { class: `number c${emotion.group}`, "aria-hidden": "true" }, String(place + 1)), h("span", { class: "best-name" }, emotion.name), h("span", { class: "best-value num" }, said(view, emotion.key)), h("span", { class: "best-more soft" }, words.join(" · "))];
    return h("li", {}, onselect ? h("button", { type: "button", onclick: () => onselect(emotion.key, false) }, inside) : h("span", { class: "row" }, inside));
  }));
}

// How far the shown model may be trusted, in its own measured figures.
import { h } from "./dom.js";
import { allCards, calibrationNotes, headlines, isWeak, metricName, reasonMissing } from "./cards.js";
import { SETUP, nameOf } from "./setup.js";

/** The line above every score. */
export function perceivedLine(view, card) {
  const main = headlines(card)[0];
  const measured = main ? `Measured on people it had never seen: ${metricName(main.name)} ${main.value.toFixed(2)} (95 % interval ${main.low.toFixed(2)} to ${main.high.toFixed(2)}).` : "This model comes without measured figures: treat its scores as untested.";
  return [h("strong", {}, "Perceived intensity, not a fact about a person. "), `An estimate of how strongly people would perceive each emotion in this ${view.modality}, by `, h("b", {}, card?.title ?? view.model), `. ${measured} `, h("a", { href: "#trust" }, "How far to trust it")];
}

/** The section under the table. */
export function trustSection(card) {
  if (!card) return [h("h3", { id: "trust-title" }, "How far to trust this"), h("p", {}, "Nothing is known about this model.")];
  const judged = card.dimensions?.filter((key) => !reasonMissing(card, key)) ?? [], weak = judged.filter((key) => isWeak(card, key));
  const missing = Object.entries(card.missing ?? card.not_judged ?? {});
  return [
    h("h3", { id: "trust-title", tabindex: "-1" }, "How far to trust this"),
    h("p", {}, SETUP.note),
    h("div", { class: "facts" },
      h("div", {}, h("h4", {}, "Measured"), figures(headlines(card))),
      h("div", {}, h("h4", {}, "What the numbers mean"), h("ul", {},
        h("li", {}, h("b", {}, "Strength"), `: the model's score less its score of a neutral ${card.modality}; 0 is neutral.`),
        calibrationNotes(card).map((note) => h("li", {}, h("b", {}, "Probability"), `: ${note}`)),
        h("li", {}, h("b", {}, "AUC"), ": the chance that a sample with the emotion scores above one without. 0.5 is guessing; the words change at 0.6 (weak), 0.7 (fair), 0.8 (good) and 0.9 (very good)."),
        weak.length ? h("li", {}, h("b", {}, "Striped bars"), `: weaker evidence. ${weak.length} of ${judged.length} judged emotions were learned from another model's scores, not from people's labels.`) : null))),
    missing.length ? h("details", {}, h("summary", {}, `Not judged, and why (${missing.length})`), h("ul", {}, missing.map(([key, why]) => h("li", {}, h("b", {}, nameOf(key)), `: ${why}`)))) : null,
    card.limits?.length ? h("details", {}, h("summary", {}, `Known limits (${card.limits.length})`), h("ul", {}, card.limits.map((text) => h("li", {}, text)))) : null,
    h("p", { class: "soft" }, h("code", {}, card.id), `, revision ${card.revision}. Licence: ${card.licence ?? "not stated"}.`),
  ];
}

function figures(list) {
  if (!list.length) return h("p", { class: "soft" }, "This model comes without measured figures.");
  const item = (metric) => h("li", {}, h("b", {}, `${metricName(metric.name)} ${metric.value.toFixed(2)}`), h("span", { class: "soft" }, ` [${metric.low.toFixed(2)}, ${metric.high.toFixed(2)}], n = ${metric.n}, ${metric.data}${metric.note ? `; ${metric.note}` : ""}`));
  return [h("ul", {}, list.slice(0, 3).map(item)), list.length > 3 ? h("details", {}, h("summary", {}, `${list.length - 3} more`), h("ul", {}, list.slice(3).map(item))) : null];
}

/** Every model of the server, for the dialog. */
export const modelList = () => allCards().map((card) => h("article", { class: "model" }, h("h3", {}, card.title ?? card.id),
  h("p", { class: "soft" }, h("code", {}, card.id), ` · ${card.modality}s · judges ${(card.dimensions ?? []).filter((key) => !reasonMissing(card, key)).length} of ${(card.dimensions ?? []).length || 40} dimensions`), figures(headlines(card))));

// What is known about each model: how well each emotion was measured, and which are not judged.
const NAMES = {
  auc: "AUC", spearman: "Spearman ρ", spearman_expected_teacher: "ρ with its teacher", pearson: "Pearson r",
};
const ORDER = ["auc", "spearman", "pearson", "spearman_expected_teacher"];

let cards = new Map();

export function setCards(list) {
  cards = new Map(list.map((card) => [card.id, card]));
}

export const cardOf = (id) => cards.get(id) ?? null;

export const cardsFor = (modality) => [...cards.values()].filter((card) => card.modality === modality);

export const allCards = () => [...cards.values()];

/** Why a model does not judge an emotion, "" when it does (or when nothing is known). */
export const reasonMissing = (card, key) => card?.missing?.[key] ?? card?.not_judged?.[key] ?? "";

/** Whether the emotion was learned from another model's scores instead of people's labels. */
export const isWeak = (card, key) => card?.evidence?.[key]?.kind === "teacher";

export const evidenceOf = (card, key) => card?.evidence?.[key]?.detail ?? "";

/** The most telling figure that was measured for an emotion, with its 95 % interval; null when there is none. */
export function reliabilityOf(card, key) {
  const found = (card?.metrics ?? []).filter((metric) => metric.dimension === key && ORDER.includes(metric.name));
  if (!found.length) return null;
  found.sort((a, b) => ORDER.indexOf(a.name) - ORDER.indexOf(b.name));
  const metric = found[0];
  const floor = metric.name === "auc" ? 0.5 : 0;
  return { ...metric, title: NAMES[metric.name], floor, word: wordOf(metric) };
}

// An AUC is the chance that a sample with the emotion scores above one without. The words are ours; the page says where
// they change.
function wordOf(metric) {
  if (metric.name === "spearman_expected_teacher") return "weaker evidence";
  const value = metric.name === "auc" ? (metric.value - 0.5) * 2 : metric.value;
  if (value >= 0.8) return "very good";
  if (value >= 0.6) return "good";
  if (value >= 0.4) return "fair";
  return value >= 0.2 ? "weak" : "hardly above chance";
}

/** Figures for the whole model, the most important first. */
export const headlines = (card) => (card?.metrics ?? []).filter((metric) => !metric.dimension && !metric.name.startsWith("baseline"));

/** What the calibrated percentages mean. */
export function calibrationNotes(card) {
  const notes = card?.calibration_notes ?? Object.values(card?.calibration ?? {}).map((item) => item.data);
  return [...new Set((Array.isArray(notes) ? notes : [notes]).filter(Boolean))];
}

/** macro_auc → macro AUC */
export const metricName = (name) =>
  NAMES[name] ?? name.replace("top1", "top-1").split("_").map((word) => (["auc", "uar"].includes(word) ? word.toUpperCase() : word)).join(" ");

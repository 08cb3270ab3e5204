// From the server's rows to what is drawn: whose scores (subjects), their mean, their moments. Pure functions.
import { ATTRIBUTES, EMOTIONS } from "./setup.js";

const KEYS = [...EMOTIONS, ...ATTRIBUTES].map((item) => item.key);
const SCALES = ["relative", "raw", "calibrated", "softmax"];

/** One row of the API as an object with its scores in maps: scale → key → number. */
export function parseRow(row) {
  const scores = {};
  for (const scale of SCALES) {
    const known = new Map();
    for (const key of KEYS) {
      const value = row[`${key}.${scale}`];
      if (typeof value === "number") known.set(key, value);
    }
    scores[scale] = known;
  }
  const box = typeof row.left === "number" ? [row.left, row.top, row.right, row.bottom] : null;
  return {
    status: row.status, message: row.message || "", modality: row.modality, model: row.model, source: row.source,
    start: row.start_s ?? null, end: row.end_s ?? null, box, track: row.track ?? null, window: row.window ?? null,
    certainty: row.detector_score ?? null, scores,
  };
}

/** Whose scores a document holds: each face of a picture, each face followed through a video, the voice. */
export function subjectsOf(document) {
  const found = new Map();
  let still = 0;
  for (const row of document.estimates.map(parseRow)) {
    if (row.status !== "ok") continue;
    const key = row.modality === "voice" ? "voice" : row.track !== null ? `face-${row.track}` : row.start !== null ? "frames" : `face-${(still += 1)}`;
    if (!found.has(key)) found.set(key, { key, modality: row.modality, model: row.model, rows: [] });
    found.get(key).rows.push(row);
  }
  const subjects = [...found.values()];
  const faces = subjects.filter((item) => item.modality === "face");
  faces.forEach((item, place) => { item.label = faces.length === 1 ? "Face" : `Face ${place + 1}`; item.number = place + 1; });
  for (const item of subjects) {
    if (item.modality === "voice") item.label = "Voice";
    item.rows.sort((a, b) => (a.start ?? 0) - (b.start ?? 0));
    item.timed = item.rows.some((row) => row.start !== null);
  }
  return subjects;
}

/** The rows between which the cursor moves: short windows where they were scored, else the rows themselves. */
export const momentsOf = (subject) => subject.moments ?? subject.rows;

/** Reasons why a document has no scores: [{status, message}], each once. */
export function failuresOf(document) {
  const seen = new Map();
  for (const row of document.estimates) if (row.status !== "ok") seen.set(row.status + row.message, { status: row.status, message: row.message || "" });
  return [...seen.values()];
}

const weightOf = (row) => (row.window === null || row.start === null || row.end === null ? 1 : Math.max(row.end - row.start, 1e-3));

/** Mean over rows: voice windows weigh by their length, faces equally. */
export function meanOf(rows, scale) {
  const sums = new Map(), weights = new Map();
  for (const row of rows) {
    const weight = weightOf(row);
    for (const [key, value] of row.scores[scale]) {
      sums.set(key, (sums.get(key) ?? 0) + value * weight);
      weights.set(key, (weights.get(key) ?? 0) + weight);
    }
  }
  return new Map([...sums].map(([key, sum]) => [key, sum / weights.get(key)]));
}

/** The middle of a row in time. */
export const middle = (row) => (row.end === null || row.window === null ? row.start : (row.start + row.end) / 2);

/** The row that holds at `time`: the window it falls into, or the nearest frame. */
export function rowAt(rows, time) {
  let best = null, nearest = Infinity;
  for (const row of rows) {
    if (row.start === null) continue;
    const end = row.window === null ? row.start : row.end ?? row.start;
    const away = time < row.start ? row.start - time : time > end ? time - end : 0;
    if (away < nearest) { best = row; nearest = away; }
  }
  return best;
}

/** The spread of each score over the rows: key → [10th, 90th percentile], when there are at least three. */
export function spreadOf(rows, scale) {
  const out = new Map();
  if (rows.length < 3) return out;
  for (const key of KEYS) {
    const values = rows.map((row) => row.scores[scale].get(key)).filter((value) => value !== undefined).sort((a, b) => a - b);
    if (values.length >= 3) out.set(key, [values[Math.floor(values.length * 0.1)], values[Math.ceil(values.length * 0.9) - 1]]);
  }
  return out;
}

/** The scale that is really shown: a model without neutral scores has raw scores only. */
export const effectiveScale = (rows, wanted) =>
  wanted === "relative" && !rows.some((row) => row.scores.relative.size) ? "raw" : wanted;

/**
 * What chart and table draw. `rows`: one moment or all of them; `wanted`: the chosen scale.
 * {label, modality, model, scale, values, chance, spread, attributes}
 */
export function viewOf({ label, modality, model, rows, wanted, reading }) {
  const scale = effectiveScale(rows, wanted);
  return {
    label, modality, model, scale, reading, count: rows.length,
    values: meanOf(rows, scale), chance: meanOf(rows, "calibrated"), spread: spreadOf(rows, scale), raw: meanOf(rows, "raw"),
  };
}

/** Emotions of a view that are judged, strongest first. */
export const ranked = (view, count = 40) =>
  EMOTIONS.filter((emotion) => view.values.has(emotion.key))
    .sort((a, b) => view.values.get(b.key) - view.values.get(a.key) || a.key.localeCompare(b.key))
    .slice(0, count);

/** Those that stand out: above neutral, or a probability that does not round to nothing. */
export const standing = (view, count) =>
  ranked(view, count).filter((emotion) => view.values.get(emotion.key) > (view.scale === "calibrated" ? 0.005 : 0));

/** Lowest (at most 0) and highest value of views, so that what is drawn together shares a scale. */
export function extentOf(...views) {
  if (views.some((view) => view?.scale === "calibrated")) return [0, 1];
  let low = 0, high = 0.5;
  for (const view of views) {
    if (!view) continue;
    for (const { key } of EMOTIONS) {
      const value = view.values.get(key);
      if (value !== undefined) { low = Math.min(low, value); high = Math.max(high, value); }
    }
  }
  return [low, high];
}

/** The emotions with the highest peaks over time. */
export function peaks(rows, scale, count = 5) {
  const best = new Map();
  for (const row of rows) for (const { key } of EMOTIONS) {
    const value = row.scores[scale].get(key);
    if (value !== undefined) best.set(key, Math.max(best.get(key) ?? -Infinity, value));
  }
  return [...best].sort((a, b) => b[1] - a[1]).slice(0, count).map(([key]) => key);
}

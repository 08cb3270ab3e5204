// Everything about the one reading that is shown.
import { $, announce, bytes, clock, h } from "./dom.js";
import { again, remove, scoreWith } from "./readings-list.js";
import { cardOf, cardsFor } from "./cards.js";
import { choices, comparePanel, rowsOf } from "./compare.js";
import { effectiveScale, momentsOf, ranked, rowAt, subjectsOf, viewOf } from "./readings.js";
import { GROUPS, SCALES, nameOf } from "./setup.js";
import { headline } from "./headline.js";
import { perceivedLine, trustSection } from "./trust.js";
import { radial, said } from "./radial.js";
import { attributeTable, scoreTable } from "./table.js";
import { stage } from "./stage.js";
import { state, subjectNow } from "./state.js";
import { timeline } from "./timeline.js";
import { drawCaption } from "./caption.js";

let staged = null, line = null, shownFor = null, lastRow = null, second = null;
const NARROW = 560; // pixels of the chart's place

/** Show the current reading afresh; `scroll`: bring it into view. */
export function showResult() {
  const reading = state.current, result = $("result");
  result.hidden = !reading;
  if (!reading) return;
  $("result-title").textContent = reading.name;
  $("result-about").textContent = aboutFile(reading);
  const done = reading.status === "done", failed = reading.status === "failed";
  result.dataset.state = done ? "done" : failed ? "failed" : "waiting";
  $("waiting").hidden = done || failed;
  $("waiting").querySelector("p").textContent = reading.note || (reading.status === "waiting" ? "Waiting for its turn …" : "The model is looking at it …");
  $("failure").hidden = !failed;
  $("scores").hidden = $("perceived").hidden = !done;
  result.querySelector(".tools").hidden = !done;
  if (failed) $("failure").replaceChildren(...failure(reading));
  if (done) showScores(reading);
  else { staged = line = shownFor = null; $("stage").replaceChildren(); }
}

const aboutFile = (reading) => [bytes(reading.file.size), reading.document && countWords(reading)].filter(Boolean).join(" · ");

function countWords(reading) {
  const faces = reading.subjects?.filter((item) => item.modality === "face").length ?? 0, voice = reading.subjects?.some((item) => item.modality === "voice");
  const words = [faces ? `${faces} face${faces > 1 ? "s" : ""}` : "", voice ? "a voice" : ""].filter(Boolean).join(" and ");
  const failures = reading.subjects?.length ? (reading.failures ?? []).map((item) => ({ no_face: "no face", no_speech: "no voice", too_short: "voice too short" })[item.status] ?? item.message) : [];
  return [words && `${words} found`, ...new Set(failures)].filter(Boolean).join(", ");
}

function failure(reading) {
  const { title, message, remedy, status } = reading.trouble;
  return [h("h3", {}, title), message && message !== title ? h("p", { class: "told" }, message) : null, h("p", {}, remedy),
    h("p", { class: "ways" }, status === 401 ? h("button", { type: "button", class: "button", id: "give-key" }, "Enter a key") : null,
      h("button", { type: "button", class: "button quiet", onclick: () => again(reading) }, "Try again"), h("button", { type: "button", class: "plain", onclick: () => remove(reading) }, "Remove"))].filter(Boolean);
}

function showScores(reading) {
  if (!subjectNow()) { state.subject = reading.subjects[0].key; state.moment = null; }
  if (shownFor !== reading || staged?.document !== reading.document) {
    staged = stage($("stage"), reading, reading.subjects, state.subject, { onpick: pickSubject, ontime: followTime });
    staged.document = reading.document;
    shownFor = reading;
  } else staged.refresh(state.subject);
  drawSubjects(reading);
  drawModels();
  drawTimeline();
  drawScores();
}

/** Choose a face or the voice. */
export function pickSubject(key) {
  if (!state.current?.subjects?.some((item) => item.key === key)) return;
  state.subject = key;
  if (!subjectNow().timed) state.moment = null;
  staged?.refresh(key);
  drawSubjects(state.current);
  drawModels();
  drawTimeline();
  drawScores();
  announce(`${subjectNow().label}: ${sayBest()}`);
}

function drawSubjects(reading) {
  const several = reading.subjects.length > 1, subject = subjectNow();
  const tabs = reading.subjects.map((item) => h("button", { type: "button", class: "tab", "aria-pressed": String(item.key === state.subject), "data-key": item.key, onclick: () => pickSubject(item.key) }, item.label));
  const whole = subject.timed && momentsOf(subject).length > 1 ? h("span", { class: "span-choice" },
    ...[[null, "Whole"], [0, "At the cursor"]].map(([value, words]) => h("button", { type: "button", class: "tab", "aria-pressed": String((value === null) === (state.moment === null)), onclick: () => setMoment(value === null ? null : line?.time() ?? 0) }, words))) : null;
  const focused = $("subjects").contains(document.activeElement) ? [...$("subjects").querySelectorAll("button")].indexOf(document.activeElement) : -1;
  $("subjects").hidden = !several && !whole;
  $("subjects").replaceChildren(h("span", { class: "tabs" }, several ? tabs : null), ...(whole ? [whole] : []));
  if (focused >= 0) $("subjects").querySelectorAll("button")[focused]?.focus();
}

function drawModels() {
  const subject = subjectNow(), cards = cardsFor(subject.modality);
  $("model-choice").hidden = cards.length < 2;
  $("model").replaceChildren(...cards.map((card) => h("option", { value: card.id, selected: card.id === subject.model }, card.title ?? card.id)));
  const has = (scale) => subject.rows.some((row) => row.scores[scale].size);
  for (const option of $("scale").options) option.disabled = !has(option.value);
  $("scale").value = effectiveScale(subject.rows, has(state.wanted) ? state.wanted : "relative");
}

function drawTimeline() {
  const subject = subjectNow(), place = $("timeline");
  place.hidden = !subject.timed;
  if (!subject.timed) { place.replaceChildren(); line = null; delete place.dataset.rows; return; }
  const before = line?.time() ?? 0, media = staged.media;
  const draw = () => {
    if (subjectNow() !== subject) return;
    line = timeline(place, { rows: momentsOf(subject), scale: shownScale(subject), duration: Number.isFinite(media?.duration) ? media.duration : 0, wave: subject.modality === "voice" ? state.current.wave : null, picked: state.selected, onseek: seek, label: state.current.name });
    line.move(media?.currentTime || before);
  };
  draw();
  if (media && !Number.isFinite(media.duration)) media.addEventListener("loadedmetadata", draw, { once: true });
}

function seek(time) {
  if (staged?.media) staged.media.currentTime = time;
  setMoment(time);
}

function followTime(time, sought) {
  line?.move(time);
  if (!sought && subjectNow()?.timed && momentsOf(subjectNow()).length > 1) setMoment(time);
}

/** Show one moment (seconds) or the whole (null). */
export function setMoment(time) {
  const subject = subjectNow();
  if (!subject?.timed) return;
  const was = state.moment;
  state.moment = time;
  const row = time === null ? null : rowAt(momentsOf(subject), time);
  if ((was === null) !== (time === null)) drawSubjects(state.current);
  if (row === lastRow && (was === null) === (time === null)) return;
  lastRow = row;
  requestAnimationFrame(drawScores);
}

const shownScale = (subject) => effectiveScale(subject.rows, subject.rows.some((row) => row.scores[state.wanted].size) ? state.wanted : "relative");

/** The view that is shown, and what it is compared with (or null). */
export function views() {
  const subject = subjectNow(), wanted = shownScale(subject), reading = state.current;
  const row = state.moment === null ? null : rowAt(momentsOf(subject), state.moment);
  const label = row ? `${subject.label} at ${clock(row.start)}` : subject.label; // a moment's own scores, from less to go by
  const view = viewOf({ ...subject, label, rows: row ? [row] : subject.rows, wanted, reading: reading.name });
  const other = state.comparing && second?.subject ? viewOf({ ...second.subject, label: second.label, rows: rowsOf(second), wanted, reading: second.reading.name }) : null;
  if (other && second.reading !== reading) view.label = `${reading.name}, ${label}`;
  return { view, other };
}

/** Chart, table and words of the current view. */
export function drawScores() {
  if (!subjectNow()) return;
  const { view, other } = views(), card = cardOf(view.model);
  drawChart(view, other, card);
  $("headline").replaceChildren(headline(view, { count: 5, numbered: true, onselect: select }));
  $("perceived").replaceChildren(...perceivedLine(view, card));
  $("legend").replaceChildren(...GROUPS.map((group, place) => h("li", { class: `c${place}` }, h("i", { "aria-hidden": "true" }), group.short)), h("li", { class: "none-key" }, h("i", { "aria-hidden": "true" }), "not judged"), ...(other ? [h("li", { class: "other-key" }, h("i", { "aria-hidden": "true" }), `B: ${other.label}`)] : []));
  drawTable(view, other, card);
  drawComparison(view, other);
  if ($("trust").dataset.model !== view.model) { $("trust").replaceChildren(...trustSection(card).filter(Boolean)); $("trust").dataset.model = view.model; }
  drawCaption(view, subjectNow());
  Object.assign($("result").dataset, { subject: state.subject, scale: view.scale, model: view.model, moment: state.moment === null ? "whole" : String(rowAt(momentsOf(subjectNow()), state.moment)?.start), selected: state.selected, compared: other ? second.id : "", reading: String(state.current.id) });
}

function drawChart(view, other, card) {
  const focused = $("chart").contains(document.activeElement);
  $("chart").replaceChildren(radial(view, { other, card, selected: state.selected, narrow: ($("chart").clientWidth || 600) < NARROW, onselect: select }));
  if (focused) $("chart").querySelector("svg").focus();
}

function drawTable(view, other, card) {
  const active = $("numbers").contains(document.activeElement) ? document.activeElement : null;
  const remembered = active?.dataset.by ? `[data-by="${active.dataset.by}"]` : active?.closest("tr")?.dataset.key ? `tr[data-key="${active.closest("tr").dataset.key}"] .pick` : null;
  const judged = [...view.raw.keys()].length, attributes = attributeTable(view);
  $("numbers").replaceChildren(scoreTable(view, { other, sort: state.sort, selected: state.selected, onsort: sortBy, onselect: select }), ...(attributes ? [attributes] : []));
  if (remembered) $("numbers").querySelector(remembered)?.focus();
  const spread = view.spread.size ? ` Thin lines: where four of five ${view.modality === "voice" ? "windows" : "frames"} lie.` : "";
  $("numbers-about").textContent = `${SCALES[view.scale].name} (${SCALES[view.scale].of(view.modality)}), ${view.label.toLowerCase()}${view.count > 1 ? `, mean of ${view.count} ${view.modality === "voice" ? "windows" : "frames"}` : ""}.${state.moment !== null && subjectNow().moments ? " A short window is less sure than the whole." : ""}${spread}${judged && card ? " Reliability: as measured on people it had never seen, with its 95 % interval." : ""}`;
}

function sortBy(by) {
  state.sort = state.sort.by === by ? (by === "name" && state.sort.down ? { by: "group", down: false } : { by, down: !state.sort.down }) : { by, down: by !== "name" };
  drawScores();
  announce(state.sort.by === "group" ? "Sorted by group." : `Sorted by ${by}, ${state.sort.down ? "highest" : "lowest"} first.`);
}

/** Choose an emotion; `spoken`: say it. */
export function select(key, spoken) {
  state.selected = state.selected === key && !spoken ? "" : key;
  if (line) drawTimeline();
  drawScores();
  if (spoken) announce(`${nameOf(key)}: ${said(views().view, key)}`);
}

const sayBest = () => { const { view } = views(); return ranked(view, 3).map((emotion) => `${emotion.name} ${said(view, emotion.key)}`).join(", "); };
export const sayResult = () => `${state.current.name}. Strongest: ${sayBest()}. Perceived intensity, not a fact about a person.`;

/** Turn comparing on or off. */
export function compare(on = !state.comparing) {
  state.comparing = on;
  if (!on) { state.compareWith = ""; second = null; }
  drawScores();
  if (on) $("compare").querySelector("select")?.focus();
  else $("compare-button").focus();
}

/** Keep the moment at the cursor, to compare others with it. */
export function pin() {
  const subject = subjectNow();
  if (!subject?.timed || !line) return;
  const moment = line.time(), label = `${subject.label} at ${clock(moment)}`;
  const kept = { id: state.pins.length + 1, label, reading: state.current, subject, moment };
  state.pins.push(kept);
  state.comparing = true;
  second = { ...kept, id: `pin-${kept.id}` };
  state.compareWith = second.id;
  drawScores();
  announce(`Kept ${label} as B. Move the cursor to compare.`);
}

function drawComparison(view, other) {
  const panel = $("compare"), subject = subjectNow();
  panel.hidden = !state.comparing;
  $("compare-button").setAttribute("aria-expanded", String(state.comparing));
  if (!state.comparing) { panel.replaceChildren(); return; }
  const options = choices({ reading: state.current, subject, moment: state.moment, pins: state.pins.filter((item) => item.subject.modality === subject.modality), readings: state.readings });
  const focused = panel.contains(document.activeElement) ? document.activeElement.id : "";
  panel.replaceChildren(...comparePanel({ options, chosen: state.compareWith, a: view, b: other, busy: Boolean(second?.busy), canPin: subject.timed && momentsOf(subject).length > 1, onpin: pin, onclose: () => compare(false),
    onchoose: (id) => compareWith(options.find((item) => item.id === id)) }));
  if (focused) $(focused)?.focus();
}

async function compareWith(choice) {
  state.compareWith = choice?.id ?? "";
  second = choice ?? null;
  if (choice?.model) {
    second = { ...choice, busy: true };
    drawScores();
    try {
      const subjects = subjectsOf(await scoreWith(choice.reading, choice.model));
      const found = subjects.find((item) => item.key === state.subject) ?? subjects.find((item) => item.modality === subjectNow()?.modality);
      if (state.compareWith === choice.id) second = found ? { ...choice, subject: found, moment: state.moment } : null;
    } catch (error) { second = null; announce(error.message); }
  }
  drawScores();
  if (second?.subject) announce(`Compared with ${second.label}.`);
}
/** Redraw what depends on the width. */
export function resized() { if (subjectNow() && state.current.status === "done") { drawTimeline(); drawScores(); } }

export const player = () => staged?.media ?? null;
export const cursor = () => line;

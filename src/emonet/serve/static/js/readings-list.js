// What was opened: sending it to the server two at a time, and the row of cards to choose from.
import { $, announce, bytes, h } from "./dom.js";
import { estimate, Trouble } from "./api.js";
import { failuresOf, ranked, subjectsOf, viewOf } from "./readings.js";
import { state } from "./state.js";
import { waveOf } from "./timeline.js";

const AT_ONCE = 2, MOST = 60;
let made = 0, busy = 0, changed = () => {}, asked = () => {};
const queue = [];

/** `onchange(reading, detail)`: its state is another, or only a detail of it; `onshow(reading)`: the person wants to see it. */
export function setUpList({ onchange, onshow }) { changed = onchange; asked = onshow; }

const AUDIO = /\.(wav|mp3|flac|ogg|oga|opus|m4a|aac|aiff?|weba)$/i, VIDEO = /\.(mp4|m4v|mov|webm|mkv|avi|ogv)$/i;
const kindOf = (file) => (file.type.startsWith("audio/") || AUDIO.test(file.name) ? "audio" : file.type.startsWith("video/") || VIDEO.test(file.name) ? "video" : "image");

/** Take files in; the first of them is shown. */
export function addFiles(files) {
  const taken = [...files].slice(0, MOST);
  const fresh = taken.map((file) => ({ id: (made += 1), name: file.name || "pasted.png", file, url: URL.createObjectURL(file), kind: kindOf(file), status: "waiting", trouble: null, documents: new Map(), model: "", document: null, subjects: null, wave: null, note: "" }));
  state.readings.push(...fresh);
  for (const reading of fresh) {
    if (reading.kind === "audio") waveOf(reading.file).then((wave) => { reading.wave = wave; if (wave && reading.document) changed(reading); });
    queue.push([reading, ""]);
  }
  if (fresh.length) asked(fresh[0]);
  next();
  draw();
  if (files.length > MOST) announce(`Only the first ${MOST} files were taken.`);
  return fresh;
}

/** Score a reading with another model; resolves when it is done or has failed. */
export async function scoreWith(reading, model) {
  if (!reading.documents.has(model)) reading.documents.set(model, await estimate(reading.file, reading.name, { model }));
  return reading.documents.get(model);
}

/** Try a failed one again. */
export function again(reading) {
  Object.assign(reading, { status: "waiting", trouble: null, note: "" });
  queue.push([reading, reading.model]);
  changed(reading);
  next();
  draw();
}

function next() {
  while (busy < AT_ONCE && queue.length) {
    const [reading, model] = queue.shift();
    if (!state.readings.includes(reading)) continue;
    busy += 1;
    send(reading, model).finally(() => { busy -= 1; next(); });
  }
}

async function send(reading, model) {
  reading.status = "working";
  reading.abort = new AbortController();
  draw();
  changed(reading);
  try {
    const onwait = (seconds) => { reading.note = `The server is busy; trying again in ${Math.ceil(seconds)} s.`; changed(reading); };
    const document = await estimate(reading.file, reading.name, { model, signal: reading.abort.signal, onwait });
    reading.documents.set(model, document);
    adopt(reading, document, model);
    refine(reading, model);
  } catch (error) {
    if (error.name === "AbortError") return;
    reading.status = "failed";
    reading.trouble = error instanceof Trouble ? error : new Trouble({ title: "This page has a fault", message: error.message, remedy: "Load it again." });
    announce(`${reading.name}: ${reading.trouble.title}.`);
  }
  reading.note = "";
  draw();
  changed(reading);
}

/** Make a document what a reading shows. */
export function adopt(reading, document, model) {
  const subjects = subjectsOf(document), failures = failuresOf(document);
  Object.assign(reading, { document, subjects, failures, model, status: subjects.length ? "done" : "failed", trouble: subjects.length ? null : explain(failures[0], reading.kind) });
}

const SHORT_S = 2, ENOUGH = 3; // seconds of a short window; windows that make a timeline as they are

/** Score a recording that is one long window once more in short ones, for its timeline. It does without, if refused. */
async function refine(reading, model) {
  const voice = reading.subjects.find((item) => item.modality === "voice"), last = voice?.rows.at(-1);
  if (reading.kind !== "audio" || !voice || voice.rows.length >= ENOUGH || last.end === null || last.end - voice.rows[0].start < 2 * SHORT_S) return;
  try {
    const document = await estimate(reading.file, reading.name, { model, windowS: SHORT_S, quick: true });
    const fine = subjectsOf(document).find((item) => item.modality === "voice");
    if (!fine || fine.rows.length <= voice.rows.length || !reading.subjects.includes(voice)) return;
    voice.moments = fine.rows;
    changed(reading, true);
  } catch { /* the timeline shows the long windows */ }
}

const REASONS = {
  no_face: ["No face was found", "Try a picture in which the face is larger, upright and well lit."],
  no_speech: ["No voice was heard", "Try a recording with someone speaking or laughing close to the microphone."],
  too_short: ["This recording is too short", "A second or more of voice is needed."],
  unreadable: ["This file could not be read", "Check that it opens in a player or viewer; JPEG, PNG, WAV, MP3 and MP4 are safe choices."],
};

function explain(failure, kind) {
  const [title, remedy] = REASONS[failure?.status] ?? [`Nothing could be scored in this ${kind}`, "Try another file."];
  return new Trouble({ title, message: failure?.message ?? "", remedy });
}

/** Forget a reading and free its memory. */
export function remove(reading) {
  reading.abort?.abort();
  const place = state.readings.indexOf(reading);
  state.readings.splice(place, 1);
  state.pins = state.pins.filter((pin) => pin.reading !== reading);
  URL.revokeObjectURL(reading.url);
  draw();
  asked(state.readings[Math.min(place, state.readings.length - 1)] ?? null);
}

/** The row of cards. */
export function draw() {
  const shelf = $("shelf");
  shelf.hidden = !state.readings.length;
  shelf.querySelector("ul").replaceChildren(...state.readings.map((reading) => h("li", { class: reading === state.current ? "current" : null },
    h("button", { type: "button", class: "card", "data-id": reading.id, "data-status": reading.status, "aria-current": reading === state.current ? "true" : null, onclick: () => asked(reading) },
      face(reading), h("span", { class: "card-text" }, h("span", { class: "card-name" }, reading.name), h("span", { class: "soft card-line" }, lineOf(reading)))),
    h("button", { type: "button", class: "remove", "aria-label": `Remove ${reading.name}`, onclick: () => remove(reading) }, "×"))));
  shelf.dataset.done = state.readings.filter((item) => item.status === "done").length;
  shelf.dataset.failed = state.readings.filter((item) => item.status === "failed").length;
}

function face(reading) {
  if (reading.kind === "image") return h("img", { src: reading.url, alt: "", loading: "lazy" });
  return h("span", { class: `thumb ${reading.kind}`, "aria-hidden": "true" }, reading.kind === "audio" ? "♪" : "▶");
}

function lineOf(reading) {
  if (reading.status === "waiting") return `waiting, ${bytes(reading.file.size)}`;
  if (reading.status === "working") return "scoring …";
  if (reading.status === "failed") return reading.trouble.title;
  const subject = reading.subjects[0], best = ranked(viewOf({ ...subject, wanted: "relative" }), 1)[0];
  return `${reading.subjects.length > 1 ? `${reading.subjects.length} found · ` : ""}${best ? best.name : ""}`;
}

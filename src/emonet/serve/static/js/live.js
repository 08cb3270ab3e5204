// The panel for camera and microphone: what is seen or heard on the left, rolling scores on the right.
import { $, announce, calm, h } from "./dom.js";
import { headline } from "./headline.js";
import { parseRow, ranked, viewOf } from "./readings.js";
import { radial } from "./radial.js";
import { cardOf } from "./cards.js";
import { state } from "./state.js";

let closing = null, opener = null, spoken = "", spokenAt = 0;
const QUIET_MS = 3000; // between two words to screen readers

/** Open the panel. Returns its parts; `onclose` runs when the person closes it. */
export function openLive(title, { onclose }) {
  closeLive();
  opener = document.activeElement;
  spoken = "";
  const look = h("div", { class: "live-look" }), controls = h("div", { class: "live-controls" }), hint = h("p", { class: "soft live-hint" });
  const told = h("div", { class: "live-told" }, h("p", { class: "soft empty" }, "Scores appear here."));
  const chart = h("div", { class: "live-chart" });
  const panel = $("live");
  panel.replaceChildren(
    h("header", {}, h("h2", { id: "live-title", tabindex: "-1" }, title), h("button", { type: "button", class: "plain", id: "live-close", onclick: () => closeLive() }, "Close ", h("kbd", { "aria-hidden": "true" }, "Esc"))),
    h("div", { class: "live-parts" }, h("div", { class: "live-left" }, look, controls, hint), h("div", { class: "live-right" }, chart, told, h("p", { class: "soft" }, "Perceived intensity as a model estimates it, not a fact about a person. A moment is less sure than a whole recording."))));
  panel.hidden = false;
  document.documentElement.dataset.opened = "true";
  panel.dataset.estimates = "0";
  setState("starting");
  $("live-title").focus({ preventScroll: true });
  panel.scrollIntoView({ block: "nearest", behavior: calm() ? "auto" : "smooth" });
  closing = onclose;
  return { look, controls, hint, chart, told };
}

export function closeLive() {
  if ($("live").hidden) return false;
  const run = closing;
  closing = null;
  $("live").hidden = true;
  $("live").replaceChildren();
  setState("closed");
  document.documentElement.dataset.opened = String(Boolean(state.current));
  run?.();
  if (opener?.isConnected) opener.focus({ preventScroll: true });
  return true;
}

export const setState = (state) => { $("live").dataset.state = state; };

/** Draw one rolling estimate. */
export function drawLive(parts, row, wanted) {
  const parsed = parseRow(row);
  if (parsed.status !== "ok") {
    parts.told.replaceChildren(h("p", { class: "soft empty" }, { no_face: "No face in view.", no_speech: "Listening: no speech yet.", too_short: "Listening: a little longer." }[parsed.status] ?? parsed.message));
    parts.chart.replaceChildren();
  } else {
    const view = viewOf({ label: parsed.modality === "voice" ? "Voice" : "Face", modality: parsed.modality, model: parsed.model, rows: [parsed], wanted });
    parts.chart.replaceChildren(radial(view, { card: cardOf(view.model), narrow: true }));
    parts.told.replaceChildren(headline(view, { count: 5, numbered: true }));
    say(ranked(view, 1)[0]?.name ?? "");
  }
  $("live").dataset.estimates = String(Number($("live").dataset.estimates) + 1);
  $("live").dataset.last = parsed.status;
}

/** Tell screen readers when another emotion leads, not with every picture. */
function say(name) {
  if (name === spoken || performance.now() - spokenAt < QUIET_MS) return;
  spoken = name;
  spokenAt = performance.now();
  announce(`Strongest: ${name}`);
}

/** Why a device cannot be used, with the remedy. */
export function deviceTrouble(error, thing) {
  if (!window.isSecureContext || !navigator.mediaDevices) return { title: `The ${thing} works only over https or on this computer`, remedy: "Open this page by https, or at http://localhost. Files can be opened in any case." };
  if (error.name === "NotAllowedError") return { title: `This browser was not allowed to use the ${thing}`, remedy: "Allow it in the address bar, then try again." };
  if (error.name === "NotFoundError") return { title: `No ${thing} was found`, remedy: "Connect one, or open a file." };
  if (error.name === "NotReadableError") return { title: `The ${thing} is used by another program`, remedy: "Close the other program, then try again." };
  return { title: `The ${thing} could not be started`, message: error.message, remedy: "Try again, or open a file." };
}

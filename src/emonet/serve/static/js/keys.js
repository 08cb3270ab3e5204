// Keyboard shortcuts, their list, and the switch that turns them off.
import { $, h } from "./dom.js";

const LIST = [
  ["O", "Open files"], ["C", "Camera"], ["M", "Microphone"], ["E", "Try the first example"], ["[  ]", "Previous, next of what you opened"],
  ["1 … 9", "Choose a face or the voice"], ["Space", "Play or pause"], [",  .", "Back, forward in time"], ["W", "The whole recording, or the moment at the cursor"],
  ["K", "Keep this moment"], ["X", "Compare"], ["S", "Show the next scale"], ["D", "Download"], ["T", "Light, dark or the system's colours"], ["?", "This list"], ["Esc", "Close"],
];
let on = true;
try { on = localStorage.getItem("emonet-keys") !== "off"; } catch { /* storage is switched off */ }

/** `actions`: key → function. Keys typed into fields, or with a modifier, are left alone. */
export function bindKeys(actions) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") { actions.Escape?.(event); return; }
    if (!on || document.querySelector("dialog[open]") || event.target.closest("input:not([type=checkbox]), select, textarea, [contenteditable]")) return;
    // Space belongs to buttons, players and scrolling widgets that have the focus.
    if (event.key === " " && event.target.closest("button, summary, a, audio, video, [role=slider]") && !event.target.closest("[role=slider]")) return;
    const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const action = actions[name] ?? (/^[1-9]$/.test(name) ? actions.digit : null);
    if (action && action(event) !== false) event.preventDefault();
  });
}

/** The dialog with the list. */
export function showKeys() {
  const dialog = $("keys");
  const toggle = h("input", { type: "checkbox", id: "keys-on", checked: on, onchange: (event) => {
    on = event.target.checked;
    try { localStorage.setItem("emonet-keys", on ? "on" : "off"); } catch { /* for this visit alone */ }
  } });
  fill(dialog, "keys-title", "Keyboard shortcuts",
    h("dl", { class: "keys" }, LIST.flatMap(([key, words]) => [h("dt", {}, key.split("  ").map((one) => h("kbd", {}, one))), h("dd", {}, words)])),
    h("p", { class: "soft" }, "On the chart, arrow keys go from emotion to emotion. On the timeline they move in time, Home and End go to its ends."),
    h("label", { class: "check", for: "keys-on" }, toggle, " Shortcuts of one letter are on"));
}

/** Fill and open a dialog; it closes by Esc, its button, or a click beside it. */
export function fill(dialog, titleId, title, ...content) {
  dialog.replaceChildren(h("header", {}, h("h2", { id: titleId }, title), h("button", { type: "button", class: "plain", onclick: () => dialog.close(), "aria-label": "Close" }, "Close")), ...content);
  dialog.onclick = (event) => { if (event.target === dialog) dialog.close(); };
  if (!dialog.open) dialog.showModal();
}

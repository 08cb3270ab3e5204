// Starts the page and ties its parts together.
import { $, announce, h } from "./dom.js";
import { example, fetchModels, keyOf, limitWords, setKey, Trouble } from "./api.js";
import { addFiles, adopt, draw as drawList, scoreWith, setUpList } from "./readings-list.js";
import { bindKeys, fill, showKeys } from "./keys.js";
import { camera } from "./camera.js";
import { closeLive } from "./live.js";
import { compare, cursor, drawScores, pickSubject, pin, player, resized, sayResult, setMoment, showResult, views } from "./result.js";
import { download } from "./downloads.js";
import { microphone } from "./microphone.js";
import { modelList } from "./trust.js";
import { setCards } from "./cards.js";
import { SETUP } from "./setup.js";
import { chosenModels, state, subjectNow } from "./state.js";

const root = document.documentElement;
const local = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);

function show(reading) {
  const another = state.current !== reading;
  state.current = reading;
  root.dataset.opened = String(Boolean(reading));
  if (another) Object.assign(state, { subject: "", moment: null, compareWith: "" });
  if (another && state.comparing) compare(false);
  drawList();
  showResult();
  // What had the focus may be gone (a closed panel, a removed card); the title is the place to read on.
  if (another && reading && [document.body, null].includes(document.activeElement)) $("result-title").focus({ preventScroll: true });
}

setUpList({
  onshow: show,
  onchange(reading, detail) {
    if (reading !== state.current) return;
    showResult();
    if (reading.status === "done" && !detail) announce(sayResult());
  },
});

/** Tell what went wrong outside of a reading, with the remedy. */
function tell({ title, message = "", remedy = "" }) {
  $("problem").replaceChildren(h("div", { class: "note bad" }, h("button", { type: "button", class: "plain", onclick: () => $("problem").replaceChildren() }, "Dismiss"), h("p", {}, h("strong", {}, `${title}. `), message ? `${message} ` : "", remedy)));
}
const quiet = () => $("problem").replaceChildren();

function open(files) {
  const list = [...files].filter((file) => file.size);
  quiet();
  if (!list.length) { tell({ title: "Nothing to open", remedy: "Empty files and folders cannot be scored; choose pictures, recordings or videos." }); return; }
  closeLive();
  addFiles(list);
}

const onCamera = () => { quiet(); camera({ onfile: (file) => open([file]), ontrouble: tell, wanted: () => state.wanted, model: chosenModels.face }); };
const onMicrophone = () => { quiet(); microphone({ onfile: (file) => open([file]), ontrouble: tell, wanted: () => state.wanted, model: chosenModels.voice, streams: state.info.streams !== false }); };
const choose = () => $("files").click();

async function tryExample(name) {
  quiet();
  try { open([await example(name)]); } catch (error) { tell(error); }
}

$("choose").onclick = choose;
$("camera").onclick = onCamera;
$("microphone").onclick = onMicrophone;
$("files").onchange = () => { open($("files").files); $("files").value = ""; };
addEventListener("paste", (event) => { if (event.clipboardData?.files.length) { event.preventDefault(); open(event.clipboardData.files); } });
let inside = 0;
addEventListener("dragenter", (event) => { if (event.dataTransfer?.types.includes("Files")) { inside += 1; $("veil").hidden = false; } });
addEventListener("dragleave", () => { inside = Math.max(0, inside - 1); $("veil").hidden = inside > 0; });
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => { event.preventDefault(); inside = 0; $("veil").hidden = true; if (event.dataTransfer?.files.length) open(event.dataTransfer.files); });

$("examples").append(...SETUP.examples.map((item) => h("button", { type: "button", class: "plain example", "data-name": item.name, title: item.credit, onclick: () => tryExample(item.name) }, item.title)));
$("examples").hidden = !SETUP.examples.length;

$("scale").onchange = () => { state.wanted = $("scale").value; resized(); };
$("compare-button").onclick = () => compare();
$("model").onchange = async () => {
  const reading = state.current, model = $("model").value;
  chosenModels[subjectNow().modality] = model;
  $("result").dataset.state = "waiting";
  try { adopt(reading, await scoreWith(reading, model), model); } catch (error) { tell(error); }
  if (state.current === reading) showResult();
};
$("download").onclick = async (event) => {
  const format = event.target.closest("[data-format]")?.dataset.format;
  if (!format) return;
  $("download").open = false;
  $("download").querySelector("summary").focus();
  try { announce(`Saved ${await download(format, { reading: state.current, ...views() })}.`); } catch (error) { tell({ title: "This could not be saved", message: error.message }); }
};
document.addEventListener("click", (event) => { if (!$("download").contains(event.target)) $("download").open = false; });
$("keys-button").onclick = showKeys;
$("models-button").onclick = () => fill($("models"), "models-title", "Models of this server", ...modelList());

const THEMES = { auto: ["◐", "as the system"], light: ["☀", "light"], dark: ["☾", "dark"] };
function theme(name) {
  root.dataset.theme = name;
  try { localStorage.setItem("emonet-theme", name); } catch { /* for this visit alone */ }
  $("theme-button").textContent = THEMES[name][0];
  $("theme-button").setAttribute("aria-label", `Colours: ${THEMES[name][1]}. Change`);
}
const nextTheme = () => { const names = Object.keys(THEMES); theme(names[(names.indexOf(root.dataset.theme) + 1) % names.length]); };
$("theme-button").onclick = nextTheme;
theme(root.dataset.theme);

function step(by) {
  const place = state.readings.indexOf(state.current) + by;
  if (state.readings[place]) show(state.readings[place]);
}
function nextScale() {
  const options = [...$("scale").options].filter((option) => !option.disabled);
  if (!options.length || $("result").hidden) return;
  $("scale").value = options[(options.findIndex((option) => option.value === $("scale").value) + 1) % options.length].value;
  $("scale").dispatchEvent(new Event("change"));
  announce($("scale").selectedOptions[0].textContent);
}
const shown = (run) => () => (state.current?.status === "done" ? run() : false);
bindKeys({
  o: choose, c: onCamera, m: onMicrophone, e: () => SETUP.examples.length && tryExample(SETUP.examples[0].name),
  "[": () => step(-1), "]": () => step(1), t: nextTheme, "?": showKeys, s: nextScale, x: shown(() => compare()), k: shown(pin),
  w: shown(() => setMoment(state.moment === null ? cursor()?.time() ?? 0 : null)),
  d: shown(() => { $("download").open = true; $("download").querySelector("[data-format]").focus(); }),
  ",": shown(() => cursor()?.seek(cursor().time() - 0.5)), ".": shown(() => cursor()?.seek(cursor().time() + 0.5)),
  " ": () => { const media = player(); if (!media) return false; if (media.paused) media.play(); else media.pause(); return true; },
  digit: (event) => { const item = state.current?.subjects?.[Number(event.key) - 1]; if (item) pickSubject(item.key); },
  Escape() {
    if ($("download").open) { $("download").open = false; $("download").querySelector("summary").focus(); }
    else if (!closeLive() && state.comparing) compare(false);
  },
});

/** What leaves the browser and what is kept: from what the server says about itself. */
function privacy() {
  const info = state.info, where = local ? "this computer" : location.host;
  const stores = info.stores === true || info.keeps_media === true;
  const kept = stores ? "This server was started to keep what it is sent: ask whoever runs it." : "It is scored and not kept there.";
  $("privacy").querySelector("span").textContent = `What you open or record goes to this server (${where}) and to no one else. ${kept} Results are gone when you close this tab.`;
}

function askKey() {
  const field = h("input", { type: "password", id: "api-key", autocomplete: "off", required: true });
  fill($("key-dialog"), "key-title", "This server asks for a key", h("form", { method: "dialog", onsubmit: () => { setKey(field.value.trim()); start(); } },
    h("label", { for: "api-key" }, "API key", field), h("p", { class: "soft" }, "It is kept until you close this tab."), h("button", { class: "button" }, "Use it")));
}
document.addEventListener("click", (event) => { if (event.target.id === "give-key") askKey(); });

async function start() {
  const status = $("server");
  try {
    state.info = await fetchModels();
    const cards = state.info.models ?? state.info.data ?? [];
    setCards(cards);
    status.dataset.state = "ok";
    status.lastElementChild.textContent = `${cards.length} model${cards.length === 1 ? "" : "s"} ready`;
    $("limits").textContent = limitWords(state.info.limits);
    root.dataset.state = "ready";
    quiet();
  } catch (error) {
    status.dataset.state = "bad";
    status.lastElementChild.textContent = "Not connected";
    root.dataset.state = "unconnected";
    tell(error);
    if (error instanceof Trouble && error.status === 401) askKey();
  }
  privacy();
}

$("foot-note").textContent = SETUP.note;
let width = innerWidth;
addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; requestAnimationFrame(resized); } });
matchMedia("(prefers-color-scheme: dark)").addEventListener?.("change", () => requestAnimationFrame(() => state.current?.status === "done" && drawScores()));
if (keyOf()) root.dataset.key = "given";
start();

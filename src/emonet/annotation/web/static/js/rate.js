// The rating page: takes units from the feed, shows one at a time, puts answers into the outbox and goes on at once.
import { call, Offline, Refused, useToken } from "./api.js";
import { h, kept, newId, say, setup, typing } from "./dom.js";
import { Feed } from "./feed.js";
import { Outbox } from "./outbox.js";
import { bestWorst } from "./question-best-worst.js";
import { form } from "./question-form.js";
import { levels } from "./question-levels.js";
import { pair } from "./question-pair.js";
import { sliders } from "./question-sliders.js";

const page = setup();
useToken(page.csrf);
const QUESTIONS = { levels, sliders, pair, "best-worst": bestWorst, form };
const REASONS = page.reasons;
const BREAK_AFTER_MS = 25 * 60e3;

const stage = document.getElementById("stage"), notices = document.getElementById("notices");
const counter = document.getElementById("counter"), own = document.getElementById("own"), meter = document.querySelector(".pace .meter"), link = document.getElementById("link");
const dialog = document.getElementById("dialog");

let view = null, unit = null, last = null, waitingFor = null, retry = 0;
let since = 0, spent = 0, resting = false, workedSince = Date.now();
let counts = page.progress;
const paces = [], stored = new Map(); // numbers of the last answers, by their identifier

const outbox = new Outbox(page.person, { onChange: connection, onReply: replied, onRefused: refused });
const feed = new Feed({ ahead: page.protocol.question === "form" ? 2 : 4, waiting: () => outbox.waiting });

const context = {
  ...page, feed, answer, skip, undo, rest, help,
  again: () => show(unit), canUndo: () => last !== null,
};

/* Time on the unit counts only while the page is seen and nobody is having a break. */
const startClock = () => { since = performance.now(); };
const stopClock = () => { if (since) spent += performance.now() - since; since = 0; };
document.addEventListener("visibilitychange", () => {
  if (document.hidden) { stopClock(); view?.pause(); } else if (unit && !resting && !since) startClock();
});

async function next() {
  clearTimeout(retry);
  close();
  try {
    unit = await feed.next();
    if (unit) return show(unit);
    return nothing();
  } catch (error) {
    if (error instanceof Refused && [401, 403].includes(error.status)) return signedOut();
    retry = setTimeout(next, 4000);
    return state(error instanceof Offline ? "Waiting for the connection" : "That did not work",
      error instanceof Offline ? "Your answers are kept in this browser and will be sent by themselves." : error.message,
      h("button", { class: "button quiet", onclick: next }, "Try now"));
  }
}

function close() { view?.destroy(); view = null; spent = 0; since = 0; }

function show(now, before = {}) {
  close();
  unit = now;
  feed.current = now;
  stage.dataset.unit = String(now.unit);
  if (now.items.some((item) => item.sensitive) && !now.accepted) return curtain(now, before);
  const mounted = (view = QUESTIONS[page.protocol.question](context, now, before));
  // Nobody can answer what is not shown yet.
  mounted.root.inert = true;
  delete stage.dataset.ready;
  stage.replaceChildren(mounted.root);
  mounted.ready.then(() => {
    if (view !== mounted) return;
    mounted.root.inert = false;
    stage.dataset.ready = "";
    mounted.focus();
    if (!resting && !document.hidden) startClock();
  });
  suggestBreak();
}

function curtain(now, before) {
  const go = h("button", { class: "button", onclick: () => show({ ...now, accepted: true }, before) }, "Show it", h("kbd", { "aria-hidden": "true" }, "Enter"));
  const away = h("button", { class: "button quiet", onclick: () => skip("sensitive") }, "Skip it", h("kbd", { "aria-hidden": "true" }, "S"));
  stage.replaceChildren(h("div", { class: "state-page" }, h("section", { class: "curtain", "aria-labelledby": "curtain" },
    h("h1", { id: "curtain" }, "This item may upset you"), h("p", {}, "It was marked as sensitive. You may skip it; nobody counts that against you."), h("div", { class: "row-of" }, go, away))));
  view = { root: null, key: (event) => event.key === "s" || event.key === "S" ? (skip("sensitive"), true) : false, pause() {}, destroy() {} };
  go.focus();
}

async function answer(values, extra = {}, skipped = null) {
  stopClock();
  const now = unit, client_id = newId(), duration_ms = Math.round(spent);
  const sent = { client_id, unit: now.unit, lease: now.lease, values, form: extra, skipped, duration_ms, time: new Date().toISOString(),
    client: { width: innerWidth, height: innerHeight, touch: matchMedia("(pointer: coarse)").matches } };
  last = { client_id, unit: now, values };
  counts = { ...counts, answers: counts.answers + (skipped ? 0 : 1), today: counts.today + (skipped ? 0 : 1) };
  if (!skipped) paces.push(duration_ms);
  pace();
  const told = now.training && !skipped ? waitForReply(client_id) : null;
  await outbox.put(sent);
  if (!told) return next();
  view?.pause();
  const reply = await told;
  if (reply?.feedback) await tell(reply.feedback);
  return next();
}

/* The server's word on a practice answer; nobody waits for it while the connection is gone. */
function waitForReply(clientId) {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(null), navigator.onLine ? 5000 : 300);
    waitingFor = { clientId, resolve: (reply) => { clearTimeout(timer); resolve(reply); } };
  });
}

function tell(feedback) {
  return new Promise((resolve) => {
    const go = h("button", { class: "button", onclick: resolve }, "Go on", h("kbd", { "aria-hidden": "true" }, "Enter"));
    stage.append(h("div", { class: "told", role: "status", "data-verdict": feedback.verdict }, h("p", {}, feedback.text), go));
    view.key = () => false;
    go.focus();
  });
}

function replied(sent, reply) {
  stored.set(sent.client_id, reply.event);
  if (stored.size > 20) stored.delete(stored.keys().next().value);
  if (waitingFor?.clientId === sent.client_id) { waitingFor.resolve(reply); waitingFor = null; }
}

function refused(sent, error) {
  if (waitingFor?.clientId === sent.client_id) { waitingFor.resolve(null); waitingFor = null; }
  if ([401, 403].includes(error.status)) return signedOut();
  if (last?.client_id === sent.client_id) last = null;
  notice(`An answer was not taken: ${error.message}`, true);
}

async function skip(reason) {
  if (!unit) return;
  const chosen = reason ?? await choose("Why skip this one?", REASONS);
  if (chosen) answer({}, {}, chosen);
}

async function undo() {
  if (!last) return;
  const back = last;
  last = null;
  try {
    let again = back.unit;
    if (!(await outbox.recall(back.client_id))) {
      // It is on its way: its number comes with the reply.
      for (let wait = 0; !stored.has(back.client_id) && wait < 100; wait++) await new Promise((resolve) => setTimeout(resolve, 50));
      if (!stored.has(back.client_id)) throw new Offline("the answer is on its way");
      const reply = await call("POST", `/api/answers/${stored.get(back.client_id)}/undo`, { client_id: newId() });
      if (reply.assignment) again = { ...reply.assignment, accepted: back.unit.accepted };
    }
    if (unit) feed.ready.unshift(unit);
    feed.ready = feed.ready.filter((other) => other.unit !== again.unit);
    counts = { ...counts, answers: Math.max(0, counts.answers - 1), today: Math.max(0, counts.today - 1) };
    paces.pop();
    pace();
    show(again, back.values);
    say("The last answer is taken back");
  } catch (error) {
    notice(error instanceof Offline ? "No connection just now: an answer that was sent can be changed under My answers." : error.message, true);
  }
}

function rest() {
  if (resting) return;
  resting = true;
  stopClock();
  view?.pause();
  stage.inert = true;
  const done = () => { resting = false; workedSince = Date.now(); stage.inert = false; notices.replaceChildren(); if (unit) startClock(); };
  ask("A short break", [h("p", {}, "Time is not counted. The item waits for you."), h("button", { class: "button", onclick: () => dialog.close() }, "Go on", h("kbd", { "aria-hidden": "true" }, "Enter"))]).then(done);
}

function suggestBreak() {
  if (Date.now() - workedSince < BREAK_AFTER_MS || notices.querySelector(".break")) return;
  notices.append(h("div", { class: "bar break" }, h("p", {}, "You have been rating for 25 minutes. A short break keeps judgements fresh."), h("button", { class: "button plain", onclick: rest }, "Have a break"),
    h("button", { class: "button plain", onclick: (event) => { workedSince = Date.now(); event.target.closest(".bar").remove(); } }, "Later")));
}

function ask(title, content) {
  dialog.replaceChildren(h("h2", { id: "dialog-title" }, title), ...content);
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue), { once: true }));
}

async function choose(title, reasons) {
  dialog.returnValue = "";
  stopClock();
  const pick = (key) => dialog.close(key);
  const buttons = Object.entries(reasons).map(([key, text], index) => h("button", { type: "button", onclick: () => pick(key) }, h("kbd", { "aria-hidden": "true" }, String(index + 1)), text));
  const keys = (event) => { const at = Number(event.key) - 1; if (Object.keys(reasons)[at]) { event.preventDefault(); pick(Object.keys(reasons)[at]); } };
  dialog.addEventListener("keydown", keys);
  const given = await ask(title, [h("div", { class: "reasons" }, buttons), h("button", { class: "button plain", onclick: () => dialog.close("") }, "Do not skip", h("kbd", { "aria-hidden": "true" }, "Esc"))]);
  dialog.removeEventListener("keydown", keys);
  if (!given) startClock();
  return given;
}

function help() {
  const audio = unit?.items.some((item) => item.kind === "audio"), kind = page.protocol.question;
  const letters = kind !== "sliders" && kind !== "form";
  const rows = {
    levels: page.protocol.choices.map((choice) => [[choice.key.toUpperCase()], choice.label]),
    sliders: [[["0", "–", "7"], "set the emotion in focus; 0 is an answer too"], [["←", "→"], "less, more"], [["↑", "↓"], "emotion before, after"], [["A", "–", "Z"], "search; ↓ or Enter goes to the best match, Esc shows all"], [["⌫"], "unset"], [["Enter"], "send"]],
    pair: [[["←"], "the left one"], [["→"], "the right one"], ...(audio ? [[["1", "2"], "listen to the left, the right one"]] : [])],
    "best-worst": [[["1", "–", "9"], "mark the most, then the least; again to unmark"], [["Enter"], "send"]],
    form: [],
  }[kind];
  const common = [...(letters ? [[["Z"], "undo the last answer"], [["S"], "skip, with a reason"], [["B"], "break"], [["W"], "show or hide example words"]] : [[["Ctrl", "Z"], "undo the last answer"], [["Alt", "S"], "skip, with a reason"], [["Alt", "B"], "break"]]),
    ...(audio ? [[["Space"], "play, pause"], [["L"], "repeat"], [["[", "]"], "slower, faster"], [[",", "."], "a second back, on"]] : [[["+", "−", letters ? "0" : ""].filter(Boolean), "larger, smaller, whole picture"]])];
  const single = h("input", { type: "checkbox", id: "single" });
  single.checked = kept.get("single", true);
  single.addEventListener("change", () => kept.set("single", single.checked));
  ask("Keys", [h("dl", { class: "keys" }, [...rows, ...common].flatMap(([keys, text]) => [h("dt", {}, keys.map((key) => key === "–" ? "–" : h("kbd", {}, key))), h("dd", {}, text)])),
    h("div", { class: "check" }, single, h("label", { for: "single" }, "Single keys act at once (turn off if you use speech input)")),
    h("p", {}, h("button", { class: "button quiet", onclick: () => dialog.close() }, "Close"))]);
}

addEventListener("keydown", (event) => {
  if (dialog.open || event.defaultPrevented || event.isComposing || !unit) return;
  const command = event.ctrlKey || event.metaKey;
  if (command && event.key.toLowerCase() === "z" && !typing(event.target)) { event.preventDefault(); return void undo(); }
  if (event.altKey && (event.code === "KeyS" || event.code === "KeyB")) { event.preventDefault(); return void (event.code === "KeyS" ? skip() : rest()); }
  if (command || event.altKey || event.repeat && !event.key.startsWith("Arrow")) return;
  if (event.target.closest?.(".menu, .top")) return;
  const field = typing(event.target);
  if (!kept.get("single", true) && event.key.length === 1 && !field) return;
  if (event.key === "?" && !field) { event.preventDefault(); return void help(); }
  if (field && event.key.length === 1) return;
  if (event.key === " " && event.target.closest("button, summary, a")) return;
  if (view?.root?.inert) return;
  if (view?.key(event)) { event.preventDefault(); return; }
  if (field || page.protocol.question === "sliders" || page.protocol.question === "form") return;
  const act = { z: undo, backspace: undo, s: () => skip(), b: rest }[event.key.toLowerCase()];
  if (act) { event.preventDefault(); act(); }
});

function pace() {
  const sorted = [...paces].slice(-30).sort((a, b) => a - b), middle = sorted[Math.floor(sorted.length / 2)];
  counter.textContent = counts.left === null ? `${counts.today} today` : `${counts.answers} of ${counts.answers + Math.max(0, counts.left - (counts.answers - page.progress.answers))}`;
  own.textContent = middle ? `${counts.today} today · ${(middle / 1000).toFixed(1)} s each` : `${counts.today} today`;
  const whole = counts.answers + Math.max(0, (counts.left ?? 0) - (counts.answers - page.progress.answers));
  meter.hidden = counts.left === null;
  meter.firstElementChild.style.width = `${whole ? (100 * counts.answers) / whole : 0}%`;
}

function connection({ waiting, kept: safe, reached, refused: lost }) {
  link.dataset.kept = safe; // in the browser's store by now, not only asked for
  link.dataset.state = lost ? "refused" : !reached ? "offline" : waiting ? "waiting" : "saved";
  const text = !reached ? `Offline · ${safe} kept here` : waiting ? "Saving" : lost ? "Saved · some not taken" : "Saved";
  if (link.textContent !== text) link.textContent = text;
}

const state = (title, text, ...more) => { delete stage.dataset.unit; stage.replaceChildren(h("div", { class: "state-page" }, h("h1", { tabindex: "-1", id: "state" }, title), h("p", {}, text), ...more)); document.getElementById("state").focus({ preventScroll: true }); };

function nothing() {
  unit = null;
  retry = setTimeout(next, 30000);
  state(counts.answers ? "That is all for now" : "Nothing to rate yet", counts.answers ? "Thank you. New items may come when others have answered; this page looks for them by itself." : "The lead has not put anything here yet, or others are busy with it. This page looks again by itself.",
    h("a", { class: "button quiet", href: "/history" }, "My answers"),
    last ? h("button", { class: "button plain", onclick: undo }, "Undo the last answer") : null);
}

function signedOut() {
  unit = null;
  close();
  state("Please sign in again", "Your session ended. What you answered is kept in this browser and is sent after you sign in.", h("a", { class: "button", href: "/sign-in?next=/rate" }, "Sign in"));
}

function notice(text, bad) {
  notices.append(h("div", { class: `bar${bad ? " bad" : ""}`, role: "alert" }, h("p", {}, text), h("button", { class: "button plain", onclick: (event) => event.target.closest(".bar").remove() }, "Close")));
}

pace();
outbox.count().then(() => outbox.flush());
next();

// My answers: newest first, more on demand, each can be corrected; a correction never overwrites what was said before.
import { call, useToken } from "./api.js";
import { h, icon, newId, say, setup } from "./dom.js";
import { player } from "./player.js";

const page = setup();
useToken(page.csrf);
const list = document.getElementById("answers"), more = document.getElementById("more"), empty = document.getElementById("empty");
let before = null, open = null;
const nameOf = (key) => page.dimensions[key]?.name ?? key;
const level = (value) => page.protocol.choices.find((choice) => choice.value === value)?.label ?? String(value);

function said(entry) {
  if (entry.skipped) return h("span", {}, `Skipped · ${page.reasons[entry.skipped] ?? entry.skipped}`);
  if (page.protocol.question === "levels") return h("span", {}, Object.values(entry.values).map(level).join(", "));
  if (page.protocol.question === "form") return h("span", {}, "Filled in");
  if (page.protocol.question === "pair") return h("span", {}, `Number ${entry.items.findIndex((item) => entry.values[item.id] === 1) + 1} of 2`);
  if (page.protocol.question === "best-worst") return h("span", {}, `Most: ${entry.items.findIndex((item) => entry.values[item.id] === 1) + 1}, least: ${entry.items.findIndex((item) => entry.values[item.id] === -1) + 1}`);
  const pills = Object.entries(entry.values).sort((a, b) => b[1] - a[1]);
  return pills.length ? h("ul", { class: "pills" }, pills.map(([key, value]) => h("li", { class: "pill" }, nameOf(key), h("b", {}, String(value))))) : h("span", {}, "None of them");
}

function thumb(item) {
  if (item.kind === "image") return h("img", { src: `/media/${item.id}`, alt: "", loading: "lazy" });
  const button = h("button", { type: "button", class: "thumb button quiet", "aria-label": "Listen" }, icon("M8 5.5v13l11-6.5z"));
  button.addEventListener("click", async () => {
    const peaks = await call("GET", `/api/items/${item.id}/peaks`).catch(() => null);
    const place = h("div", { class: "editor" });
    place.append(...player({ url: `/media/${item.id}`, peaks }, { small: true, autoplay: true, label: "Recording" }).node);
    button.closest("li").append(place);
    button.disabled = true;
  });
  return button;
}

function correct(entry, node) {
  open?.remove();
  const send = async (values) => {
    try {
      await call("POST", `/api/answers/${entry.event}/correction`, { client_id: newId(), values });
      entry.values = values;
      entry.skipped = null;
      editor.remove();
      node.replaceWith(line(entry, "corrected"));
      say("Corrected");
    } catch (error) { problem.textContent = error.message; problem.hidden = false; }
  };
  const problem = h("p", { class: "error", role: "alert", hidden: true });
  let content;
  if (page.protocol.question === "levels") {
    content = entry.dimensions.map((dimension) => h("div", { class: "choices" }, page.protocol.choices.map((choice) => h("button", { type: "button", class: "button quiet", onclick: () => send({ ...entry.values, [dimension]: choice.value }) }, choice.label))));
  } else if (page.protocol.question === "sliders") {
    const [low, high] = page.protocol.scale, steps = Math.round((high - low) / page.protocol.step);
    const field = (key) => h("div", { class: "field" }, h("label", { for: `c-${key}` }, nameOf(key)), h("select", { id: `c-${key}`, name: key }, h("option", { value: "" }, "not set"),
      Array.from({ length: steps + 1 }, (_, index) => { const value = low + index * page.protocol.step; return h("option", { value: String(value), selected: entry.values[key] === value }, String(value)); })));
    const form = h("form", { class: "correct" }, entry.dimensions.map(field), h("button", { class: "button" }, "Save"));
    form.addEventListener("submit", (event) => { event.preventDefault(); send(Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== "").map(([key, value]) => [key, Number(value)]))); });
    content = form;
  } else if (page.protocol.question === "pair") {
    content = entry.items.map((item, index) => h("button", { type: "button", class: "button quiet", onclick: () => send(Object.fromEntries(entry.items.map((other) => [other.id, other.id === item.id ? 1 : 0]))) }, `Number ${index + 1}`));
  } else {
    const choice = (name, mark) => h("label", { class: "field" }, name, h("select", { name: mark }, entry.items.map((item, index) => h("option", { value: item.id, selected: entry.values[item.id] === (mark === "most" ? 1 : -1) }, String(index + 1)))));
    const form = h("form", { class: "fields" }, choice("Most", "most"), choice("Least", "least"), h("button", { class: "button" }, "Save"));
    form.addEventListener("submit", (event) => { event.preventDefault(); const data = new FormData(form); send(Object.fromEntries(entry.items.map((item) => [item.id, item.id === data.get("most") ? 1 : item.id === data.get("least") ? -1 : 0]))); });
    content = form;
  }
  const editor = (open = h("div", { class: "editor" }, content, problem));
  node.append(editor);
  editor.querySelector("button, select")?.focus();
}

function line(entry, note) {
  const node = h("li", { class: "sheet" }, h("div", { class: "thumbs" }, entry.items.slice(0, 1).map(thumb)),
    h("div", {}, h("div", { class: "soft" }, entry.dimensions.length === 1 ? nameOf(entry.dimensions[0]) : page.title), h("div", { class: "said" }, said(entry)),
      h("div", { class: "soft num" }, [new Date(entry.time).toLocaleString([], { dateStyle: "medium", timeStyle: "short" }), entry.duration_ms ? `${(entry.duration_ms / 1000).toFixed(1)} s` : "", entry.corrected || note ? "corrected" : "", entry.undone ? "taken back" : "", entry.practice ? "practice" : ""].filter(Boolean).join(" · "))));
  if (!entry.undone && !entry.skipped && !entry.practice && page.protocol.question !== "form")
    node.append(h("div", { class: "act" }, h("button", { type: "button", class: "button plain", onclick: () => correct(entry, node) }, "Correct")));
  return node;
}

async function load() {
  more.disabled = true;
  try {
    const reply = await call("GET", `/api/answers?limit=25${before === null ? "" : `&before=${before}`}`);
    list.append(...reply.answers.map((entry) => line(entry)));
    before = reply.before;
    more.hidden = before === null;
    empty.hidden = list.children.length > 0;
  } catch (error) { say(error.message); more.hidden = false; }
  more.disabled = false;
}
more.addEventListener("click", load);
load();

// A slider for each emotion, in the groups of the taxonomy. Digits set, arrows move, letters search; a slider that was
// never moved has no value, which is not the same as a zero that was set.
import { h, say } from "./dom.js";
import { actions, practice, showItem } from "./ask.js";

/** Long names may break after a slash. */
const breakable = (name) => name.split(/(?<=\/)/).flatMap((part, index) => (index ? [document.createElement("wbr"), part] : [part]));

export function sliders(context, unit, before = {}) {
  const { scale: [low, high], step } = context.protocol;
  const values = { ...before };
  let done = false, sure = false;
  const item = showItem(context, unit.items[0]);
  const hint = h("p", { class: "hint", "aria-live": "off" });
  const rows = new Map();
  const find = h("input", { type: "search", placeholder: "Search an emotion or word", "aria-label": "Search an emotion or word", autocomplete: "off", spellcheck: "false" });
  const none = h("p", { class: "soft", hidden: true }, "No emotion or example word matches. Escape shows all.");
  const columns = h("div", { class: "columns" });
  const list = h("div", { class: "rows", role: "group", "aria-labelledby": "question" }, columns);
  const pills = h("ul", { class: "pills", "aria-label": "Your answer so far" });
  const send = h("button", { type: "button", class: "button", onclick: submit }, "Send", h("kbd", { "aria-hidden": "true" }, "Enter"));

  context.groups.forEach((group, number) => {
    const within = unit.dimensions.filter((key) => (context.dimensions[key]?.group ?? 0) === number);
    if (within.length) columns.append(h("section", { class: `g${number}` }, h("h3", {}, group), within.map((key) => row(key, number))));
  });
  list.append(none);

  function row(key, group) {
    const info = context.dimensions[key] ?? { name: key, words: [] };
    const input = h("input", { type: "range", id: `slider-${key}`, min: String(low), max: String(high), step: String(step) });
    const out = h("output", { for: `slider-${key}` });
    const name = h("label", { for: `slider-${key}` }, breakable(info.name));
    const node = h("div", { class: "row", "data-key": key }, name, input, out);
    const show = () => {
      const value = values[key];
      node.dataset.set = String(value !== undefined);
      input.value = String(value ?? low);
      input.style.setProperty("--v", value === undefined ? "0%" : `${(100 * (value - low)) / (high - low)}%`);
      out.textContent = value === undefined ? "–" : String(value);
      input.setAttribute("aria-valuetext", value === undefined ? "not set" : `${value} of ${high}`);
    };
    const set = (value) => { if (value === undefined) delete values[key]; else values[key] = value; sure = false; show(); sum(); };
    const tell = () => hint.replaceChildren(h("b", { class: `g${group}` }, info.name), info.words.length ? ` · ${info.words.join(", ")}` : "");
    input.addEventListener("input", () => set(Number(input.value)));
    input.addEventListener("pointerup", () => set(Number(input.value))); // a click on zero is an answer too
    input.addEventListener("focus", tell);
    node.addEventListener("pointerenter", tell);
    input.addEventListener("keydown", (event) => {
      const at = values[key];
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (/^\d$/.test(event.key) && Number(event.key) >= low && Number(event.key) <= high) set(Number(event.key));
      else if (event.key === "ArrowRight") set(at === undefined ? Math.min(high, low + step) : Math.min(high, at + step));
      else if (event.key === "ArrowLeft") set(at === undefined ? low : Math.max(low, at - step));
      else if (event.key === "ArrowDown") move(key, 1);
      else if (event.key === "ArrowUp") move(key, -1);
      else if (event.key === "Backspace" || event.key === "Delete") set(undefined);
      else return;
      event.preventDefault(); event.stopPropagation();
    });
    show();
    rows.set(key, { node, input, name, info, set, show });
    return node;
  }
  const visible = () => [...rows.values()].filter((one) => !one.node.hidden);
  function move(key, by) {
    const shown = visible(), at = shown.indexOf(rows.get(key));
    if (at === 0 && by < 0) return find.focus();
    shown[(at + by + shown.length) % shown.length].input.focus();
  }
  function filter() {
    const text = find.value.trim().toLowerCase();
    let count = 0;
    const rank = (one) => one.info.name.toLowerCase().startsWith(text) ? 0 : one.info.name.toLowerCase().includes(text) ? 1 : 2;
    for (const one of rows.values()) {
      const name = one.info.name.toLowerCase(), at = name.indexOf(text);
      const hit = !text || at >= 0 || one.info.words.some((word) => word.toLowerCase().includes(text));
      one.node.hidden = !hit;
      count += Number(hit);
      one.name.replaceChildren(...(text && at >= 0
        ? [breakable(one.info.name.slice(0, at)), h("mark", {}, one.info.name.slice(at, at + text.length)), breakable(one.info.name.slice(at + text.length))].flat()
        : breakable(one.info.name)));
    }
    for (const section of list.querySelectorAll("section")) section.hidden = !section.querySelector(".row:not([hidden])");
    none.hidden = count > 0;
    if (text) say(`${count} found`);
    return visible().sort((a, b) => rank(a) - rank(b))[0];
  }
  find.addEventListener("input", filter);
  find.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && find.value) { find.value = ""; filter(); event.stopPropagation(); }
    else if (event.key === "ArrowDown" || (event.key === "Enter" && find.value)) { const first = filter(); (first ?? visible()[0])?.input.focus(); event.stopPropagation(); event.preventDefault(); }
    else if (event.key === "Enter") { submit(); event.preventDefault(); }
  });
  function sum() {
    const given = [...rows].filter(([key]) => values[key] !== undefined).sort(([a], [b]) => values[b] - values[a]);
    pills.replaceChildren(...(given.length
      ? given.map(([key, one]) => h("li", { class: `pill g${context.dimensions[key]?.group ?? 0}` }, one.info.name, h("b", {}, String(values[key]))))
      : [h("li", { class: "soft" }, "Nothing set yet. Untouched is not the same as 0.")]));
    send.firstChild.data = "Send";
  }
  function submit() {
    if (done) return;
    if (!Object.keys(values).length && !sure) {
      sure = true;
      send.firstChild.data = "Send with none?";
      return say("Nothing is set. Press Enter once more to say that none of these applies.");
    }
    done = true;
    context.answer(values);
  }
  const left = h("section", { class: "left", "aria-label": "Item" },
    h("div", {}, ...[practice(unit), h("h1", { class: "question", id: "question", tabindex: "-1" }, unit.question)].filter(Boolean)), item.node, hint, actions(context, { letters: false }));
  const right = h("section", { class: "right", "aria-label": "Answer" },
    h("div", { class: "find" }, find, h("span", { class: "soft" }, h("kbd", {}, String(low)), "–", h("kbd", {}, String(high)), " set  ", h("kbd", {}, "↑"), h("kbd", {}, "↓"), " move  ", h("kbd", {}, "⌫"), " unset")), list,
    h("div", { class: "sum" }, pills, send));
  hint.append("Type to search. Move onto an emotion to see its example words.");
  sum();
  say(unit.question);
  return {
    root: h("div", { class: "unit sliders" }, left, right), ready: item.ready,
    focus: () => { if (matchMedia("(hover: hover)").matches) find.focus({ preventScroll: true }); },
    key(event) {
      const letter = event.key.length === 1 && /\p{L}/u.test(event.key);
      if (event.key === "Enter" && !event.target.closest("button, a, summary")) submit();
      else if (letter && event.target !== find) { find.value = event.key; find.focus(); filter(); }
      else if (event.key === "Escape" && find.value) { find.value = ""; filter(); find.focus(); }
      else return event.target.closest(".row, .find") ? false : item.key(event);
      return true;
    },
    pause: () => item.pause(), destroy: () => item.end(),
  };
}

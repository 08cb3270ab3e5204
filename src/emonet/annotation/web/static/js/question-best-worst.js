// The most and the least of a set: a number marks the most, then the least; Enter sends.
import { h, say } from "./dom.js";
import { actions, practice, questionHead, showItem, toggleWords } from "./ask.js";

export function bestWorst(context, unit, before = {}) {
  let done = false;
  const marks = { most: unit.items.findIndex((item) => before[item.id] === 1), least: unit.items.findIndex((item) => before[item.id] === -1) };
  const { head, words } = questionHead(context, unit, unit.dimensions[0]);
  const shown = unit.items.map((item, index) => showItem(context, item, { label: `Item ${index + 1}`, small: true, autoplay: false }));
  const button = (index, mark) => h("button", { type: "button", class: `choice ${mark}`, "aria-pressed": "false", onclick: () => set(index, mark),
    "aria-label": `Item ${index + 1} shows the ${mark}` }, mark === "most" ? "Most" : "Least");
  const cards = unit.items.map((item, index) => h("div", { class: "card", role: "group", "aria-label": `Item ${index + 1}` },
    h("kbd", { class: "place", "aria-hidden": "true" }, String(index + 1)), h("div", { class: "inner" }, shown[index].node),
    h("div", { class: "pick" }, button(index, "most"), button(index, "least"))));
  const send = h("button", { type: "button", class: "button", onclick: submit }, "Send", h("kbd", { "aria-hidden": "true" }, "Enter"));
  const ask = h("section", { class: "ask", "aria-labelledby": "question" }, ...[practice(unit), head, words, send, actions(context)].filter(Boolean));
  const root = h("div", { class: "unit many sets" }, h("div", { class: "look" }, cards), ask);

  function paint() {
    cards.forEach((card, index) => {
      card.dataset.mark = marks.most === index ? "most" : marks.least === index ? "least" : "";
      for (const mark of ["most", "least"]) card.querySelector(`.${mark}`).setAttribute("aria-pressed", String(marks[mark] === index));
    });
    send.setAttribute("aria-disabled", String(marks.most < 0 || marks.least < 0));
  }
  function set(index, mark) {
    const other = mark === "most" ? "least" : "most";
    marks[mark] = marks[mark] === index ? -1 : index;
    if (marks[other] === index) marks[other] = -1;
    paint();
    say(marks[mark] === index ? `Item ${index + 1}: the ${mark}` : `Item ${index + 1}: not marked`);
  }
  function number(index) {
    if (marks.most === index) set(index, "most");
    else if (marks.least === index) set(index, "least");
    else set(index, marks.most < 0 ? "most" : "least");
    shown.forEach((one) => one.pause());
    shown[index].play();
  }
  function submit() {
    if (done || marks.most < 0 || marks.least < 0) return void (done || say("Mark the most and the least first"));
    done = true;
    context.answer(Object.fromEntries(unit.items.map((item, index) => [item.id, index === marks.most ? 1 : index === marks.least ? -1 : 0])));
  }
  paint();
  say(unit.question);
  return {
    root, ready: Promise.all(shown.map((one) => one.ready)),
    focus: () => head.focus({ preventScroll: true }),
    key(event) {
      const index = Number(event.key) - 1;
      if (index >= 0 && index < unit.items.length) number(index);
      else if (event.key === "Enter" && !event.target.closest("button, a, summary")) submit();
      else if (event.key === "w" || event.key === "W") toggleWords(words);
      else return false;
      return true;
    },
    pause: () => shown.forEach((one) => one.pause()), destroy: () => shown.forEach((one) => one.end()),
  };
}

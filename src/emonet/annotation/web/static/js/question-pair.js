// Which of two shows more: the left or the right arrow.
import { h, say } from "./dom.js";
import { actions, practice, questionHead, showItem, toggleWords } from "./ask.js";

export function pair(context, unit, before = {}) {
  let done = false;
  const { head, words } = questionHead(context, unit, unit.dimensions[0]);
  const shown = unit.items.map((item, index) => showItem(context, item, { label: index ? "Right item" : "Left item", small: true, autoplay: index === 0 }));
  const cards = unit.items.map((item, index) => h("div", { class: "card", "data-picked": String(before[item.id] === 1) },
    h("div", { class: "inner" }, shown[index].node),
    h("div", { class: "pick" }, h("button", { type: "button", class: "choice", "aria-keyshortcuts": index ? "ArrowRight" : "ArrowLeft", onclick: () => take(index) },
      h("kbd", { "aria-hidden": "true" }, index ? "→" : "←"), h("span", {}, index ? "Right one" : "Left one")))));
  const ask = h("section", { class: "ask", "aria-labelledby": "question" }, ...[practice(unit), head, words, actions(context)].filter(Boolean));
  const root = h("div", { class: "unit many pair" }, h("div", { class: "look" }, cards), ask);

  function take(index) {
    if (done) return;
    done = true;
    cards[index].dataset.picked = "true";
    context.answer(Object.fromEntries(unit.items.map((item, place) => [item.id, place === index ? 1 : 0])));
  }
  say(unit.question);
  return {
    root, ready: Promise.all(shown.map((one) => one.ready)),
    focus: () => head.focus({ preventScroll: true }),
    key(event) {
      if (event.key === "ArrowLeft") take(0);
      else if (event.key === "ArrowRight") take(1);
      else if (event.key === "1" || event.key === "2") { shown.forEach((one) => one.pause()); shown[Number(event.key) - 1].play(); }
      else if (event.key === "w" || event.key === "W") toggleWords(words);
      else return shown[0].key(event);
      return true;
    },
    pause: () => shown.forEach((one) => one.pause()), destroy: () => shown.forEach((one) => one.end()),
  };
}

// One of a few named levels: yes and no, or not, weakly and strongly present. One key an answer.
import { h, say } from "./dom.js";
import { actions, practice, questionHead, showItem, toggleWords } from "./ask.js";

export function levels(context, unit, before = {}) {
  const values = {};
  let index = 0, done = false;
  const item = showItem(context, unit.items[0]);
  const ask = h("section", { class: "ask", "aria-labelledby": "question" });
  const root = h("div", { class: "unit" }, item.node, ask);
  let words, buttons;

  function put() {
    const dimension = unit.dimensions[index];
    const parts = questionHead(context, unit, dimension);
    words = parts.words;
    buttons = context.protocol.choices.map((choice) => h("button", {
      type: "button", class: "choice", "aria-keyshortcuts": choice.key, onclick: () => take(choice),
      "aria-pressed": before[dimension] === undefined ? undefined : String(before[dimension] === choice.value),
    }, h("kbd", { "aria-hidden": "true" }, choice.key.toUpperCase()), h("span", {}, choice.label[0].toUpperCase() + choice.label.slice(1))));
    ask.replaceChildren(...[practice(unit), parts.head, words, h("div", { class: "choices", role: "group", "aria-labelledby": "question" }, buttons), actions(context)].filter(Boolean));
    say(unit.question);
  }
  function take(choice) {
    if (done) return;
    values[unit.dimensions[index]] = choice.value;
    buttons[context.protocol.choices.indexOf(choice)].classList.add("pressed");
    if (++index < unit.dimensions.length) return put();
    done = true;
    context.answer(values);
  }
  put();
  return {
    root, ready: item.ready,
    focus: () => ask.querySelector("#question").focus({ preventScroll: true }),
    key(event) {
      const choice = context.protocol.choices.find((one) => one.key.toLowerCase() === event.key.toLowerCase());
      if (choice) take(choice);
      else if (event.key === "w" || event.key === "W") toggleWords(words);
      else return item.key(event);
      return true;
    },
    pause: () => item.pause(), destroy: () => item.end(),
  };
}

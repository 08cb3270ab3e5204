// Parts that the questions share: what is judged, the question with the emotion's example words, the row of actions.
import { h, kept } from "./dom.js";
import { picture } from "./picture.js";
import { player } from "./player.js";

/** The item as a picture or player; `ready` when it can be judged. */
export function showItem(context, item, options = {}) {
  const place = h("div", { class: "look" });
  const shown = { node: place, key: () => false, play: () => {}, pause: () => {}, destroy: () => {} };
  let gone = false;
  shown.ready = context.feed.load(item).then((media) => {
    if (gone) return;
    const view = item.kind === "audio" ? player(media, { autoplay: true, ...options }) : picture(item, media.url, options);
    place.append(...view.node);
    Object.assign(shown, { key: view.key, play: view.play ?? shown.play, pause: view.pause ?? shown.pause });
    shown.destroy = () => view.destroy();
  }, (error) => {
    if (gone) return;
    place.append(h("div", { class: "curtain" }, h("p", {}, "This item cannot be shown just now."), h("p", { class: "soft" }, error.message),
      h("button", { type: "button", class: "button quiet", onclick: () => context.again() }, "Try again")));
  });
  return Object.assign(shown, { end() { gone = true; shown.destroy(); } });
}

/** The question as a heading; the emotion in it shows its example words on hover, focus and the key W. */
export function questionHead(context, unit, dimension) {
  const info = context.dimensions[dimension];
  const words = h("p", { class: "words", id: "words", "data-kept": String(kept.get("words", unit.training)) },
    info?.words?.length ? info.words.join(" · ") : "");
  const name = info?.name ?? dimension ?? "";
  const head = h("h1", { class: "question", id: "question", tabindex: "-1" });
  const [before, after] = unit.question.includes(name) && name ? unit.question.split(name, 2) : [unit.question, ""];
  head.append(before);
  if (name && unit.question.includes(name))
    head.append(h("span", { class: `term ${info ? `g${info.group}` : ""}` }, h("button", { type: "button", "aria-describedby": "words" }, name)), after);
  return { head, words };
}

export function toggleWords(words) {
  const shown = words.dataset.kept !== "true";
  words.dataset.kept = String(shown);
  kept.set("words", shown);
}

export const practice = (unit) => (unit.training ? h("p", { class: "practice" }, "Practice · you will be told how you did") : null);

/** Skip, undo, break, keys; the same on every question. `letters` false where letters are typed into a search. */
export function actions(context, { letters = true } = {}) {
  const act = (text, key, work, title) => h("button", { type: "button", class: "button plain", onclick: work, title }, text, key ? h("kbd", { "aria-hidden": "true" }, key) : null);
  return h("div", { class: "acts" },
    context.canUndo() ? act("Undo", letters ? "Z" : "Ctrl Z", () => context.undo(), "Take the last answer back") : null,
    act("Skip", letters ? "S" : "Alt S", () => context.skip(), "Skip this one and say why"),
    act("Break", letters ? "B" : "Alt B", () => context.rest(), "Pause; time is not counted"),
    act("Keys", "?", () => context.help(), "All keys"));
}

// A sentence about the shown scores, where the server can write one.
import { $, h } from "./dom.js";
import { caption } from "./api.js";
import { state } from "./state.js";

let latest = 0;
const known = new Map();

/** Ask for the caption of a view and put it above the chart. Scores are sent, no media. */
export async function drawCaption(view, subject) {
  const place = $("caption");
  if (!place) return;
  const can = state.info.models?.find((one) => one.id === view.model)?.captions;
  if (!can || view.modality !== "voice" || view.count !== subject.rows.length) { place.hidden = true; return; }
  const id = `${state.current.id} ${subject.key} ${view.model}`, mine = (latest += 1);
  if (!known.has(id)) {
    try { known.set(id, await caption({ scores: Object.fromEntries(view.raw), model: view.model })); } catch { known.set(id, null); }
  }
  if (mine !== latest) return;
  const text = known.get(id)?.text ?? known.get(id)?.captions?.[0]?.text;
  place.hidden = !text;
  place.replaceChildren(h("p", {}, text ?? ""), h("p", { class: "soft" }, "Written from the scores by a template."));
}

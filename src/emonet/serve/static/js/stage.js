// The picture, recording or video, with a button on every face.
import { h, percent } from "./dom.js";
import { rowAt } from "./readings.js";

const NEAR_S = 0.7; // a face's box is shown this long before and after the frame in which it was found

/**
 * Draw into `place`. `current`: key of the shown subject; `onpick(key)`; `ontime(seconds)` while a recording plays.
 * Returns {media, refresh(current)}; `media` is the audio or video element, null for pictures.
 */
export function stage(place, reading, subjects, current, { onpick, ontime }) {
  const faces = subjects.filter((item) => item.modality === "face");
  const boxes = h("div", { class: "boxes" });
  const frame = h("div", { class: `frame ${reading.kind}` });
  let media = null, chosen = current;
  const look = reading.kind === "image" ? h("img", { src: reading.url, alt: `${reading.name}${faces.length ? `, ${faces.length} face${faces.length > 1 ? "s" : ""} marked` : ""}` })
    : h(reading.kind, { src: reading.url, controls: true, preload: "auto", playsinline: true, "aria-label": reading.name });
  look.addEventListener("error", () => frame.replaceChildren(h("p", { class: "soft unseen" }, "This browser cannot show the file; the server could read it.")));
  if (reading.kind !== "image") media = look;
  frame.append(look, boxes);
  place.replaceChildren(frame);

  const size = () => reading.kind === "image" ? [look.naturalWidth, look.naturalHeight] : [look.videoWidth, look.videoHeight];

  function draw() {
    const [width, height] = size();
    if (!width || !faces.length) return;
    // Focus stays where it was, although the buttons are made anew.
    const focused = boxes.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    boxes.replaceChildren(...faces.map((face) => box(face, width, height)).filter(Boolean));
    if (focused) boxes.querySelector(`[data-key="${focused}"]`)?.focus();
    boxes.dataset.count = boxes.children.length;
  }

  function box(face, width, height) {
    const row = media ? rowAt(face.rows, media.currentTime) : face.rows[0];
    if (!row?.box || (media && row.start !== null && Math.abs(row.start - media.currentTime) > NEAR_S)) return null;
    const [left, top, right, bottom] = row.box;
    const sure = row.certainty === null ? "" : `, found with ${percent(row.certainty)} certainty`;
    return h("button", {
      type: "button", class: "box", "data-key": face.key, "aria-pressed": String(face.key === chosen), "aria-label": `${face.label}${sure}`,
      onclick: () => onpick(face.key),
      style: { left: `${(left / width) * 100}%`, top: `${(top / height) * 100}%`, width: `${((right - left) / width) * 100}%`, height: `${((bottom - top) / height) * 100}%` },
    }, h("span", { "aria-hidden": "true" }, String(face.number)));
  }

  if (reading.kind === "image") {
    if (look.complete) draw();
    look.addEventListener("load", draw);
  } else {
    look.addEventListener("loadeddata", draw);
    let playing = 0;
    const tick = () => { ontime(media.currentTime, false); draw(); playing = media.paused ? 0 : requestAnimationFrame(tick); };
    media.addEventListener("play", () => { cancelAnimationFrame(playing); tick(); });
    media.addEventListener("seeked", () => { ontime(media.currentTime, true); draw(); });
  }
  return { media, refresh(key) { chosen = key; draw(); } };
}

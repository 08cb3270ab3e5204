// A picture or film that can be enlarged by wheel, pinch, drag, double click, buttons and keys.
import { h } from "./dom.js";

const LARGEST = 8;

export function picture(item, url, { label = "Item to judge" } = {}) {
  const image = item.kind === "video"
    ? h("video", { src: url, controls: true, loop: true, playsinline: true, "aria-label": label })
    : h("img", { src: url, alt: label, draggable: "false" });
  const frame = h("div", { class: "picture" }, image);
  if (item.kind === "video") return { node: [frame], key: () => false, destroy() {} };
  let scale = 1, x = 0, y = 0, drag = null;
  const fingers = new Map();
  const level = h("button", { type: "button", title: "Whole picture (0)", "aria-label": "Whole picture" }, "100 %");
  const box = h("div", { class: "zoom", role: "group", "aria-label": "Enlarge" },
    h("button", { type: "button", title: "Smaller (−)", "aria-label": "Smaller", onclick: () => by(1 / 1.5) }, "−"),
    level, h("button", { type: "button", title: "Larger (+)", "aria-label": "Larger", onclick: () => by(1.5) }, "+"));
  level.addEventListener("click", reset);

  function place() {
    const room = frame.getBoundingClientRect(), w = image.offsetWidth, hh = image.offsetHeight;
    const left = image.offsetLeft, top = image.offsetTop;
    // Never push the picture so far that no part of it fills the middle of the frame.
    x = Math.min(room.width / 2 - left, Math.max(room.width / 2 - left - w * scale, x));
    y = Math.min(room.height / 2 - top, Math.max(room.height / 2 - top - hh * scale, y));
    if (scale === 1) x = y = 0;
    image.style.transform = scale === 1 ? "" : `translate(${x}px, ${y}px) scale(${scale})`;
    frame.classList.toggle("zoomed", scale > 1);
    box.dataset.on = String(scale > 1);
    level.textContent = `${Math.round(scale * 100)} %`;
  }
  function by(factor, clientX, clientY) {
    const room = frame.getBoundingClientRect();
    const px = (clientX ?? room.left + room.width / 2) - room.left - image.offsetLeft;
    const py = (clientY ?? room.top + room.height / 2) - room.top - image.offsetTop;
    const next = Math.min(LARGEST, Math.max(1, scale * factor));
    x = px - (px - x) * (next / scale); y = py - (py - y) * (next / scale);
    scale = next;
    place();
  }
  function reset() { scale = 1; place(); }

  frame.addEventListener("wheel", (event) => { event.preventDefault(); by(Math.exp(-event.deltaY / 400), event.clientX, event.clientY); }, { passive: false });
  frame.addEventListener("dblclick", (event) => (scale > 1 ? reset() : by(2.5, event.clientX, event.clientY)));
  frame.addEventListener("pointerdown", (event) => {
    fingers.set(event.pointerId, event);
    frame.setPointerCapture(event.pointerId);
    drag = { x: event.clientX - x, y: event.clientY - y };
  });
  frame.addEventListener("pointermove", (event) => {
    if (!fingers.has(event.pointerId)) return;
    if (fingers.size === 2) {
      const other = [...fingers.values()].find((finger) => finger.pointerId !== event.pointerId);
      const before = fingers.get(event.pointerId);
      const far = (a) => Math.hypot(a.clientX - other.clientX, a.clientY - other.clientY) || 1;
      by(far(event) / far(before), (event.clientX + other.clientX) / 2, (event.clientY + other.clientY) / 2);
    } else if (scale > 1 && drag) { x = event.clientX - drag.x; y = event.clientY - drag.y; place(); }
    fingers.set(event.pointerId, event);
  });
  const lift = (event) => { fingers.delete(event.pointerId); drag = null; };
  frame.addEventListener("pointerup", lift);
  frame.addEventListener("pointercancel", lift);

  function key(event) {
    if (event.key === "+" || event.key === "=") by(1.5);
    else if (event.key === "-") by(1 / 1.5);
    else if (event.key === "0") reset();
    else return false;
    return true;
  }
  return { node: [frame, box], key, destroy() {} };
}

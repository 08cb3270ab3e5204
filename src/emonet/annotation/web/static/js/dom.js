// Small helpers around the document; every text goes in as text, never as markup.
const SVG = "http://www.w3.org/2000/svg";

export function h(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key === "hidden") node.hidden = Boolean(value);
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export function icon(path, label) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("d", path);
  svg.append(line);
  return label ? [svg, h("span", { class: "sr" }, label)] : svg;
}

export const setup = () => JSON.parse(document.getElementById("setup").textContent);

let timer = 0;
/** Speak a sentence through the page's live region; the same sentence twice is spoken twice. */
export function say(text) {
  const region = document.getElementById("live");
  if (!region) return;
  region.textContent = "";
  clearTimeout(timer);
  timer = setTimeout(() => { region.textContent = text; }, 40);
}

export const typing = (target) =>
  target instanceof HTMLElement && (target.matches("textarea, select, [contenteditable]") ||
    (target.matches("input") && !["range", "checkbox", "radio", "button"].includes(target.type)));

/** What the person chose on this device; the page works without storage too. */
export const kept = {
  get(key, otherwise) { try { return JSON.parse(localStorage.getItem(`emonet.${key}`)) ?? otherwise; } catch { return otherwise; } },
  set(key, value) { try { localStorage.setItem(`emonet.${key}`, JSON.stringify(value)); } catch { /* private window */ } },
};

/** Unique text for an answer; `crypto.randomUUID` exists on secure origins only. */
export function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 15) | 64; bytes[8] = (bytes[8] & 63) | 128;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

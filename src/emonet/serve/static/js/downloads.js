// Results as files, made in this browser from what the server answered.
import { h } from "./dom.js";
import { cardOf, reliabilityOf, isWeak } from "./cards.js";
import { radial, said } from "./radial.js";
import { EMOTIONS, GROUPS, SETUP } from "./setup.js";

const stem = (name) => name.replace(/\.[^.]+$/, "").replace(/[^\p{L}\p{N}_-]+/gu, "-").slice(0, 60) || "scores";

/** Hand a file to the person. The link stays in the page's memory alone. */
function save(content, name, type) {
  const address = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
  h("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 30_000);
  return name;
}

/** Write one of the formats. `reading`: with its document; `view`, `other`: what is shown. */
export async function download(format, { reading, view, other }) {
  const name = `${stem(reading.name)}-emotions.${format}`;
  if (format === "json") return save(JSON.stringify(reading.document, null, 1), name, "application/json");
  if (format === "csv") return save(csv(reading.document), name, "text/csv");
  if (format === "png") return save(await png(view, other), name, "image/png");
  return save(await page(reading, view, other), name, "text/html");
}

/** One row per face or window, every scale; cells that a spreadsheet would run as a formula are defused. */
function csv(document) {
  const columns = [...new Set(document.estimates.flatMap(Object.keys))];
  const cell = (value) => {
    if (value === null || value === undefined) return "";
    const text = typeof value === "string" && /^[=+@\t\r-]/.test(value) ? `'${value}` : String(value);
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return `${[columns, ...document.estimates.map((row) => columns.map((column) => row[column]))].map((row) => row.map(cell).join(",")).join("\r\n")}\r\n`;
}

const LOOK = ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "opacity", "fill-opacity", "font-size", "font-weight", "font-style", "paint-order", "stroke-linejoin"];

/** The chart with its colours written into it, so that it looks the same without this page's styles. */
export function standalone(view, other) {
  const svg = radial(view, { other, card: cardOf(view.model) });
  const place = h("div", { class: "printed" }, svg);
  document.body.append(place);
  for (const node of svg.querySelectorAll("*")) {
    const style = getComputedStyle(node);
    for (const name of LOOK) {
      const value = style.getPropertyValue(name);
      if (value && value !== "none" || name === "fill") node.setAttribute(name, value);
    }
    node.removeAttribute("class");
  }
  place.remove();
  svg.removeAttribute("class");
  svg.removeAttribute("tabindex");
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  svg.setAttribute("font-family", "system-ui, Segoe UI, Roboto, Helvetica, Arial, sans-serif");
  return svg;
}

async function png(view, other) {
  const svg = standalone(view, other), edge = 1440, foot = 200;
  svg.setAttribute("width", edge);
  svg.setAttribute("height", edge);
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(svg))}`;
  await image.decode();
  const canvas = h("canvas", { width: edge, height: edge + foot }), pen = canvas.getContext("2d");
  pen.fillStyle = "#ffffff";
  pen.fillRect(0, 0, edge, edge + foot);
  pen.drawImage(image, 0, 30, edge, edge);
  pen.textAlign = "center";
  pen.font = "600 34px system-ui, sans-serif";
  pen.fillStyle = "#1d2126";
  pen.fillText(fit(pen, `${view.reading}${other ? `: ${view.label} (bars) and ${other.label} (lines)` : `: ${view.label}`}`, edge - 80), edge / 2, edge + 70);
  pen.font = "26px system-ui, sans-serif";
  pen.fillStyle = "#57616b";
  pen.fillText(fit(pen, `Perceived intensity as estimated by ${view.model}, not a fact about a person.`, edge - 80), edge / 2, edge + 118);
  const main = cardOf(view.model)?.metrics?.find((metric) => !metric.dimension);
  if (main) pen.fillText(fit(pen, `Measured: ${main.name.replaceAll("_", " ")} ${main.value.toFixed(2)} [${main.low.toFixed(2)}, ${main.high.toFixed(2)}], ${main.data}`, edge - 80), edge / 2, edge + 160);
  return new Promise((resolve) => { canvas.toBlob(resolve, "image/png"); });
}

function fit(pen, text, width) {
  if (pen.measureText(text).width <= width) return text;
  let short = text;
  while (short && pen.measureText(`${short}…`).width > width) short = short.slice(0, -1);
  return `${short}…`;
}

const STYLE = "body{font:16px/1.5 system-ui,-apple-system,Segoe UI,Roboto,Arial,sans-serif;color:#1d2126;max-width:60rem;margin:2rem auto;padding:0 1rem}svg,img{max-width:100%;height:auto;display:block;margin:1rem auto}img{max-height:22rem;border-radius:10px}table{border-collapse:collapse;width:100%;font-size:.93rem}th,td{text-align:left;padding:.35rem .6rem;border-bottom:1px solid #dde1e5}td.n{text-align:right;font-variant-numeric:tabular-nums}.note{border-left:4px solid #2f6fb0;background:#f6f7f8;padding:.7rem 1rem;border-radius:6px}.soft{color:#57616b;font-size:.9rem}caption{text-align:left;font-weight:600;padding:.6rem 0}";

/** A page in one file: picture, chart, table, what it means. Text is set as text, so that no file name becomes markup. */
async function page(reading, view, other) {
  const made = document.implementation.createHTMLDocument(`${reading.name}: emotion estimates`);
  made.documentElement.lang = "en";
  made.head.prepend(h("meta", { charset: "utf-8" }), h("meta", { name: "viewport", content: "width=device-width, initial-scale=1" }));
  const picture = reading.kind === "image" ? await thumbnail(reading.url) : null, card = cardOf(view.model);
  const rows = EMOTIONS.filter((emotion) => view.values.has(emotion.key)).sort((a, b) => view.values.get(b.key) - view.values.get(a.key));
  const missing = EMOTIONS.filter((emotion) => !view.raw.has(emotion.key)).map((emotion) => emotion.name);
  made.body.append(
    h("h1", {}, reading.name), h("p", { class: "soft" }, `${view.label}, ${view.model}, ${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC, emonet ${SETUP.version}`),
    h("p", { class: "note" }, SETUP.note), ...(picture ? [h("img", { src: picture, alt: reading.name })] : []), standalone(view, other),
    h("table", {}, h("caption", {}, `Scores, strongest first${other ? `; A: ${view.label}, B: ${other.label}` : ""}`),
      h("thead", {}, h("tr", {}, ["Emotion", "Group", other ? "A" : "Score", ...(other ? ["B"] : ["Probability"]), "Measured reliability"].map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, rows.map((emotion) => {
        const found = reliabilityOf(card, emotion.key);
        return h("tr", {}, h("th", { scope: "row" }, emotion.name), h("td", {}, GROUPS[emotion.group].name), h("td", { class: "n" }, said(view, emotion.key)),
          h("td", { class: "n" }, other ? said(other, emotion.key) : view.chance.has(emotion.key) ? `${Math.round(view.chance.get(emotion.key) * 100)} %` : "–"),
          h("td", {}, found ? `${found.title} ${found.value.toFixed(2)} [${found.low.toFixed(2)}, ${found.high.toFixed(2)}], n = ${found.n}${isWeak(card, emotion.key) ? "; weaker evidence" : ""}` : "not measured"));
      }))), ...(missing.length ? [h("p", { class: "soft" }, `Not judged by this model: ${missing.join(", ")}.`)] : []));
  // The styles go in as text: this page's own policy would refuse them as an element.
  return `<!doctype html>\n${made.documentElement.outerHTML.replace("</head>", `<style>${STYLE}</style></head>`)}\n`;
}

async function thumbnail(url) {
  const image = new Image();
  image.src = url;
  try { await image.decode(); } catch { return null; }
  const shrink = Math.min(1, 720 / Math.max(image.naturalWidth, image.naturalHeight));
  const canvas = h("canvas", { width: Math.round(image.naturalWidth * shrink), height: Math.round(image.naturalHeight * shrink) });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL("image/jpeg", 0.85);
}

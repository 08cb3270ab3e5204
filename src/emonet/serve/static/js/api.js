// The server's routes, and its refusals in words that say what to do.
import { bytes } from "./dom.js";

let key = "";
try { key = sessionStorage.getItem("emonet-key") ?? ""; } catch { /* storage is switched off */ }

/** The API key of this tab; kept until the tab is closed. */
export function setKey(value) {
  key = value;
  try { sessionStorage.setItem("emonet-key", value); } catch { /* kept in memory alone */ }
}

export const keyOf = () => key;

/** A refusal. `title`: what happened; `message`: in the server's words; `remedy`: what to do; `retryAfter`: seconds. */
export class Trouble extends Error {
  constructor({ status = 0, title, message = "", remedy = "", retryAfter = null }) {
    super(message || title);
    Object.assign(this, { status, title, remedy, retryAfter });
  }
}

const WORDS = {
  400: ["The server did not understand this", "Try another file, or load this page again."],
  401: ["This server asks for a key", "Ask whoever runs the server for an API key."],
  403: ["This key may not do that", "Ask whoever runs the server for another API key."],
  404: ["This server has no such thing", "It may be switched off here; the rest of the page works."],
  408: ["The upload took too long", "Try a smaller file or a faster connection."],
  413: ["This file is too big", "Make it smaller: a shorter clip, or a picture with fewer pixels."],
  415: ["This kind of file is not supported", "Use a picture (JPEG, PNG, WebP), a recording (WAV, FLAC, MP3, Ogg) or a video (MP4, WebM)."],
  422: ["This file cannot be scored", "Check that it opens in a player or viewer, then try again."],
  429: ["The server is busy", "It will be tried again by itself."],
  503: ["The server is stopping or not ready", "Try again in a moment."],
};

async function ask(path, options = {}) {
  const headers = { Accept: "application/json", ...(key ? { Authorization: `Bearer ${key}` } : {}), ...options.headers };
  let answer;
  try {
    answer = await fetch(path, { ...options, headers, cache: "no-store", credentials: "same-origin" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Trouble({ title: "The server does not answer", message: "No connection.", remedy: "Check that it still runs, then try again." });
  }
  if (!answer.ok) throw await refusal(answer);
  return answer;
}

async function refusal(answer) {
  let message = "";
  try {
    const told = await answer.clone().json();
    const detail = told.error ?? told.detail ?? told;
    message = typeof detail === "string" ? detail : Array.isArray(detail) ? detail.map((item) => item.msg ?? "").join("; ") : detail.message ?? "";
  } catch { message = ""; }
  const [title, remedy] = WORDS[answer.status] ?? [answer.status >= 500 ? "Something went wrong on the server" : "The server refused this", "Try again; if it stays, tell whoever runs the server."];
  const wait = Number.parseFloat(answer.headers.get("retry-after"));
  return new Trouble({ status: answer.status, title, message, remedy, retryAfter: Number.isFinite(wait) ? wait : answer.status === 429 ? 2 : null });
}

/** {models: [card …], limits, stores, captions …} */
export async function fetchModels(signal) {
  return (await ask("/v1/models", { signal })).json();
}

/** The whole document of one file, on every scale. `onwait(seconds)` is told when the server asks for patience.
 * `windowS`: longest window of a recording. `quick`: give up at the first refusal. */
export async function estimate(file, name, { model = "", windowS = null, signal, onwait = () => {}, quick = false } = {}) {
  for (let attempt = 1; ; attempt += 1) {
    const form = new FormData();
    form.append("file", file, name);
    form.append("values", "all");
    if (model) form.append("model", model);
    if (windowS) form.append("window_s", String(windowS));
    try {
      const answer = await ask("/v1/estimate", { method: "POST", body: form, signal });
      return await answer.json();
    } catch (error) {
      if (!(error instanceof Trouble) || ![429, 503].includes(error.status) || error.retryAfter === null || attempt >= (quick ? 1 : 6)) throw error;
      onwait(error.retryAfter);
      await pause(error.retryAfter * 1000, signal);
    }
  }
}

/** A sentence on scores, null when the server writes none. `scores`: raw scores by key. */
export async function caption(body, signal) {
  const answer = await ask("/v1/caption", { method: "POST", signal, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  return answer.json();
}

/** One of the examples as a file. */
export async function example(name) {
  const answer = await ask(`/examples/${name}`, { cache: "default" });
  const content = await answer.blob();
  return new File([content], name, { type: content.type });
}

/** Address of the stream of rolling estimates. */
export function streamAddress(parameters) {
  const address = new URL("/v1/stream", location.href);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  for (const [name, value] of Object.entries(parameters)) address.searchParams.set(name, value);
  return address;
}

/** The limits in one line. */
export function limitWords(limits) {
  if (!limits) return "";
  const size = limits.max_bytes ?? limits.upload_bytes, seconds = limits.max_duration_s ?? limits.duration_s, pixels = limits.max_pixels ?? limits.pixels;
  const parts = [];
  if (size) parts.push(`up to ${bytes(size)}`);
  if (seconds) parts.push(seconds >= 120 ? `${Math.round(seconds / 60)} minutes` : `${Math.round(seconds)} seconds`);
  if (pixels) parts.push(`${Math.round(pixels / 1e6)} megapixels`);
  return parts.length ? `Each file ${parts.join(", ")}.` : "";
}

const pause = (milliseconds, signal) => new Promise((resolve, reject) => {
  const timer = setTimeout(resolve, milliseconds);
  signal?.addEventListener("abort", () => { clearTimeout(timer); reject(new DOMException("stopped", "AbortError")); }, { once: true });
});

// The next units and their media, fetched before they are needed, so that an answer is followed by the next item at once
// and a short loss of the connection goes unnoticed.
import { call, Offline } from "./api.js";

const LARGEST = 24e6; // bytes; longer recordings are streamed instead of held in memory

export class Feed {
  /** `ahead`: units kept ready; `waiting()`: answers that the server does not have yet, whose units it still counts as open. */
  constructor({ ahead = 4, waiting = () => 0 } = {}) {
    Object.assign(this, { ahead, waiting, ready: [], media: new Map(), seen: new Set(), ended: false });
  }

  /** The next unit, or null when there is none now (`ended`) or the server cannot be reached. */
  async next() {
    if (!this.ready.length) await this.fill();
    else this.fill().catch(() => {});
    const unit = this.ready.shift() ?? null;
    if (unit) { this.seen.add(unit.lease); this.current = unit; }
    this.forget();
    return unit;
  }

  /** Put a unit back in front, after an undo. */
  back(unit) {
    this.ready = [unit, ...this.ready.filter((other) => other.unit !== unit.unit)];
    unit.items.forEach((item) => this.load(item));
  }

  fill() { return (this.filling ??= this.ask().finally(() => { this.filling = null; })); }

  async ask() {
    if (this.ready.length >= this.ahead - 1) return;
    // Units that are open for this person come back first, so ask for those in hand and as many more as are wanted.
    const count = Math.min(this.ahead + this.waiting() + 1, 20);
    const reply = await call("POST", "/api/assignments", { count });
    for (const unit of reply.assignments) {
      if (this.seen.has(unit.lease) || this.ready.some((other) => other.unit === unit.unit)) continue;
      this.ready.push(unit);
      unit.items.forEach((item) => this.load(item));
    }
    this.ended = !this.ready.length;
  }

  /** The item's media as an address that can be shown without waiting. */
  load(item) {
    if (!this.media.has(item.id)) {
      const loading = this.read(item);
      loading.catch(() => this.media.delete(item.id));
      this.media.set(item.id, loading);
    }
    return this.media.get(item.id);
  }

  async read(item) {
    const url = `/media/${encodeURIComponent(item.id)}`;
    const peaks = item.kind === "audio" ? call("GET", `/api/items/${encodeURIComponent(item.id)}/peaks`).catch(() => null) : null;
    let response;
    try { response = await fetch(url, { credentials: "same-origin" }); } catch (error) { throw new Offline(error.message); }
    if (!response.ok) throw new Error(`The file of this item could not be read (the server answered ${response.status}).`);
    if (Number(response.headers.get("Content-Length")) > LARGEST) {
      await response.body?.cancel();
      return { url, peaks: await peaks };
    }
    const address = URL.createObjectURL(await response.blob());
    if (item.kind === "image") { const image = new Image(); image.src = address; await image.decode().catch(() => {}); }
    return { url: address, peaks: await peaks };
  }

  /** Free the memory of items that are neither shown, nor next, nor just answered. */
  forget() {
    const needed = new Set([this.previous, this.current, ...this.ready].flatMap((unit) => unit?.items ?? []).map((item) => item.id));
    this.previous = this.current;
    for (const [id, loading] of this.media)
      if (!needed.has(id)) {
        this.media.delete(id);
        loading.then((media) => { if (media.url.startsWith("blob:")) URL.revokeObjectURL(media.url); }).catch(() => {});
      }
  }
}

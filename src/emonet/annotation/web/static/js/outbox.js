// Answers wait here until the server has them. They live in IndexedDB, so that a closed window or a dead battery loses
// nothing; each carries an identifier made here, so that an answer which arrives twice is stored once.
import { call, Offline, Refused } from "./api.js";

const NAME = "emonet-outbox";
let memory = null; // where IndexedDB is refused (some private windows), this page's memory has to do

function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore("answers", { keyPath: "order", autoIncrement: true });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function within(mode, work) {
  const database = await open();
  try {
    const transaction = database.transaction("answers", mode);
    const request = work(transaction.objectStore("answers"));
    return await new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = transaction.onerror = () => reject(transaction.error);
    });
  } finally { database.close(); }
}

export class Outbox {
  /** `person`: whose answers; those of somebody else who used this browser stay until they sign in again. */
  constructor(person, { onChange, onReply, onRefused }) {
    Object.assign(this, { person, onChange, onReply, onRefused, waiting: 0, kept: 0, reached: true, refused: 0, wait: 1000 });
    this.timer = 0;
    addEventListener("online", () => this.flush());
    addEventListener("offline", () => { this.reached = false; this.tell(); });
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.flush(); });
    addEventListener("beforeunload", (event) => { if (memory?.length) event.preventDefault(); });
  }

  async all() {
    const kept = memory ?? await within("readonly", (store) => store.getAll()).catch(() => (memory ??= []));
    return kept.filter((entry) => entry.person === this.person);
  }

  async put(answer) {
    const entry = { person: this.person, answer };
    this.waiting += 1; // told at once: nobody may read "Saved" before this one is
    this.tell();
    if (memory === null)
      try { await within("readwrite", (store) => store.add(entry)); } catch { memory = []; }
    if (memory !== null) memory.push({ ...entry, order: performance.now() });
    await this.count();
    this.flush();
  }

  async drop(entry) {
    if (memory) memory = memory.filter((other) => other.order !== entry.order);
    else await within("readwrite", (store) => store.delete(entry.order));
    await this.count();
  }

  /** Take an answer back that has not left yet; false when it has. */
  async recall(clientId) {
    if (this.sending === clientId) return false;
    const entry = (await this.all()).find((other) => other.answer.client_id === clientId);
    if (!entry) return false;
    await this.drop(entry);
    return true;
  }

  async count() { this.kept = this.waiting = (await this.all()).filter((entry) => !entry.refused).length; this.tell(); }
  tell() { this.onChange({ waiting: this.waiting, kept: this.kept, reached: this.reached, refused: this.refused }); }

  /** Send what waits, oldest first; one tab at a time. */
  async flush() {
    if (this.busy) { this.again = true; return; }
    this.busy = true;
    clearTimeout(this.timer);
    try {
      if (navigator.locks) await navigator.locks.request(`${NAME}-${this.person}`, () => this.send());
      else await this.send();
    } finally { this.busy = false; }
    if (this.again) { this.again = false; this.flush(); }
  }

  async send() {
    for (let entry; (entry = (await this.all()).find((other) => !other.refused));) {
      this.sending = entry.answer.client_id;
      try {
        const reply = await call("POST", "/api/answers", entry.answer);
        Object.assign(this, { reached: true, wait: 1000 });
        await this.drop(entry);
        this.onReply(entry.answer, reply);
      } catch (error) {
        if (error instanceof Offline) return this.later();
        if (!(error instanceof Refused)) throw error;
        // Signed out or an outdated page: keep the answer, ask for a new sign-in. Else the server will never take it.
        if (error.status === 401 || error.status === 403) { this.onRefused(entry.answer, error); return; }
        this.refused += 1;
        await this.drop(entry);
        this.onRefused(entry.answer, error);
      } finally { this.sending = null; }
    }
    this.tell();
  }

  later() {
    this.reached = false;
    this.tell();
    this.timer = setTimeout(() => this.flush(), this.wait);
    this.wait = Math.min(this.wait * 2, 30000);
  }
}

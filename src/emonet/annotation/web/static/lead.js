// The lead's desk: it refreshes itself, tables sort, disagreements are settled by keys. Every page works without this.
const kept = {
  get(name, fallback) { try { return JSON.parse(localStorage.getItem(`desk-${name}`)) ?? fallback; } catch { return fallback; } },
  set(name, value) { try { localStorage.setItem(`desk-${name}`, JSON.stringify(value)); } catch { /* private browsing */ } },
};

// Tables: a click on a heading sorts, largest first; the order outlives a refresh.
const orders = new Map();

function value(row, column) {
  const cell = row.cells[column];
  const given = cell.dataset.sort ?? cell.textContent.trim();
  const number = Number(given);
  return given !== "" && Number.isFinite(number) ? number : given;
}

function sort(table, column, falling) {
  const rows = [...table.tBodies[0].rows];
  rows.sort((one, other) => {
    const [a, b] = [value(one, column), value(other, column)];
    if (a === "" || b === "") return (a === "") - (b === ""); // what is unknown stays at the end
    const order = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });
    return falling ? -order : order;
  });
  table.tBodies[0].append(...rows);
  for (const [place, head] of [...table.tHead.rows[0].cells].entries()) {
    if (place === column) head.setAttribute("aria-sort", falling ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
  }
}

function sortable(scope) {
  for (const table of scope.querySelectorAll("table.sortable")) {
    const name = table.closest("[id]")?.id ?? "";
    for (const [place, head] of [...table.tHead.rows[0].cells].entries()) {
      if (head.dataset.kind === "none") continue;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const text = head.dataset.kind === "text";
        const now = head.getAttribute("aria-sort");
        const falling = now ? now === "ascending" : !text;
        orders.set(name, [place, falling]);
        sort(table, place, falling);
      });
    }
    if (orders.has(name)) sort(table, ...orders.get(name));
  }
}
sortable(document);

// Refresh: ask for the project's state; where something happened, take the parts of this page that show it.
const EVERY = 5000;
const marker = document.getElementById("desk-state");
const live = document.querySelector(".live");
const box = document.getElementById("live-on");
const note = document.getElementById("live-note");
let wait = EVERY, timer = 0, asking = false, quiet = 0;

function mayReplace(part) {
  const focus = document.activeElement;
  return !(part.contains(focus) && focus.matches("input, select, textarea"));
}

function replace(fresh) {
  for (const part of document.querySelectorAll("[data-live]")) {
    const other = fresh.getElementById(part.id);
    if (!other || !mayReplace(part) || part.innerHTML === other.innerHTML) continue;
    const place = part.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    const scrolled = [...part.querySelectorAll(".scroll")].map((box) => box.scrollLeft);
    part.replaceChildren(...other.childNodes);
    sortable(part);
    part.querySelectorAll(".scroll").forEach((box, at) => { box.scrollLeft = scrolled[at] ?? 0; });
    if (place) part.querySelector(`a[href="${CSS.escape(place)}"]`)?.focus({ preventScroll: true });
  }
  marker.dataset.event = fresh.getElementById("desk-state").dataset.event;
}

async function refresh() {
  clearTimeout(timer);
  if (asking || !box.checked || document.hidden) return;
  asking = true;
  try {
    const state = await fetch("/lead/state", { headers: { Accept: "application/json" } });
    if (state.status === 401 || state.status === 403) { box.checked = false; box.disabled = true; return; }
    if (!state.ok) throw new Error(state.statusText);
    if (String((await state.json()).event) !== marker.dataset.event) {
      const page = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (!page.ok || page.redirected) throw new Error("no page");
      replace(new DOMParser().parseFromString(await page.text(), "text/html"));
      if (Date.now() - quiet > 60000) { note.textContent = "Figures updated."; quiet = Date.now(); }
    }
    wait = EVERY;
  } catch {
    wait = Math.min(2 * wait, 60000); // the server or the line is away: ask less often
  } finally {
    asking = false;
    if (box.checked) timer = setTimeout(refresh, wait);
  }
}

if (marker && document.querySelector("[data-live]:not(.count)")) {
  live.hidden = false;
  box.checked = kept.get("live", true);
  box.addEventListener("change", () => { kept.set("live", box.checked); refresh(); });
  document.addEventListener("visibilitychange", refresh);
  timer = setTimeout(refresh, EVERY);
}

// On a phone the tabs scroll: the current one comes into view.
const tab = document.querySelector(".desk-nav [aria-current]")?.parentElement;
if (tab) tab.parentElement.scrollLeft = tab.offsetLeft + tab.offsetWidth / 2 - tab.parentElement.clientWidth / 2;

// Keys of the adjudication page. One letter each, so they can be turned off (WCAG 2.1.4).
const form = document.getElementById("adjudicate");
if (form) {
  const keys = document.getElementById("keys-on");
  document.querySelector(".keys-on").hidden = false;
  keys.checked = kept.get("keys", true);
  keys.addEventListener("change", () => kept.set("keys", keys.checked));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || !keys.checked) return;
    const typing = event.target.matches("input[type=text], textarea, select, audio");
    if (event.key === "Escape" && typing) { event.target.blur(); return; }
    if (event.key === "Enter" && event.target.matches("input[type=radio]")) { event.preventDefault(); form.requestSubmit(); return; }
    if (typing || (event.key === "Enter" && event.target.matches("a, button, summary"))) return;
    const found = [...document.querySelectorAll("[data-key]")].find((one) => one.dataset.key.toLowerCase() === event.key.toLowerCase());
    if (!found) return;
    event.preventDefault();
    if (found.type === "radio") { found.checked = true; found.focus(); }
    else if (found.matches("button")) form.requestSubmit(found);
    else location.assign(found.href);
  });
}

for (const button of document.querySelectorAll("[data-copies]"))
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.copies);
    field.select();
    try { await navigator.clipboard.writeText(field.value); button.textContent = "Copied"; } catch { button.textContent = "Press Ctrl C"; }
  });

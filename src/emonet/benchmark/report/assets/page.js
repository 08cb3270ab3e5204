"use strict";
// One emotion in detail, and the search among items; the tables work without this.
const data = JSON.parse(document.getElementById("data").textContent);
const SVG = "http://www.w3.org/2000/svg";
const make = (name, attributes = {}, ...children) => {
  const drawn = name === "svg" || name === "path" || name === "rect";
  const node = drawn ? document.createElementNS(SVG, name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
};
const digits = (value) => (Math.abs(value) < 0.005 ? 0 : value).toFixed(2).replace("-", "−");
const shown = (cell) => cell ? digits(cell[0]) + (cell[1] === null ? "" : ` [${digits(cell[1])}, ${digits(cell[2])}]`) : "–";

function axis(cells) {
  const ends = cells.filter(Boolean).flatMap((cell) => cell.slice(0, 3)).filter((value) => value !== null);
  const low = Math.min(0, ...ends), high = Math.max(0, ...ends), room = 0.03 * (high - low) || 0.5;
  return (value) => 100 * (value - low + room) / (high - low + 2 * room);
}

function plot(cell, x, band) {
  const svg = make("svg", { class: "plot", viewBox: "0 0 100 14", preserveAspectRatio: "none", "aria-hidden": "true" });
  if (!cell) return svg;
  if (band && band[1] !== null)
    svg.append(make("rect", { class: "band", x: x(band[1]), width: Math.max(x(band[2]) - x(band[1]), 0.6), height: 14 }));
  svg.append(make("path", { class: "zero", d: `M${x(0)} 0V14` }));
  if (cell[1] !== null) svg.append(make("path", { class: "reach", d: `M${x(cell[1])} 7H${x(cell[2])}` }));
  svg.append(make("path", { class: "point", d: `M${x(cell[0])} 1V13` }));
  return svg;
}

function ratersOf(index, key, lower) {
  const cells = data.cells[key][index];
  const order = data.raters.map((_, r) => r).filter((r) => cells[r]);
  order.sort((a, b) => (lower ? 1 : -1) * (cells[a][0] - cells[b][0]));
  const x = axis(cells), band = data.people >= 0 ? cells[data.people] : null;
  const rows = order.map((r) => make("tr", { class: `${data.raters[r].kind}${r === data.people ? " ceiling" : ""}` },
    make("th", { scope: "row" }, make("span", { class: "kind", "aria-hidden": "true" }, data.raters[r].mark), data.raters[r].name),
    make("td", { class: "wide" }, plot(cells[r], x, band)),
    make("td", { class: "num" }, shown(cells[r])),
    make("td", { class: "num soft" }, cells[r][3] === null ? "" : `n = ${cells[r][3]}`)));
  return make("table", {}, make("tbody", {}, ...rows));
}

function peopleOf(dimension) {
  const out = make("div", {}, make("h4", { style: `--c:${dimension.color}` }, "Agreement of people"));
  const x = axis(dimension.agreement);
  const rows = data.agreement.map((name, m) => dimension.agreement[m] && make("tr", { class: "k-human" }, make("th", { scope: "row" }, name),
    make("td", { class: "wide" }, plot(dimension.agreement[m], x, null)), make("td", { class: "num" }, shown(dimension.agreement[m]))));
  out.append(make("table", {}, make("tbody", {}, ...rows.filter(Boolean))));
  if (!dimension.votes.length) return out;
  const bar = make("svg", { class: "plot", viewBox: "0 0 100 14", preserveAspectRatio: "none", "aria-hidden": "true" });
  const list = make("ul", { class: "legend" });
  let left = 0;
  for (const [css, name, share] of dimension.votes) {
    bar.append(make("rect", { class: css, x: 100 * left, width: 100 * share, height: 14 }));
    list.append(make("li", {}, make("span", { class: `swatch ${css}`, "aria-hidden": "true" }), `${name} ${(100 * share).toFixed(0)} %`));
    left += share;
  }
  out.append(make("h4", { style: `--c:${dimension.color}` }, "Votes"), bar, list);
  return out;
}

const drill = document.getElementById("drill"), select = document.getElementById("emotion");
const chosen = (letter) => document.querySelector(`input[name=${letter}]:checked`)?.value ?? "0";
function draw() {
  const index = data.dimensions.findIndex((dimension) => dimension.key === select.value);
  const dimension = data.dimensions[index], key = `${chosen("d")}/${chosen("m")}`, metric = data.metrics[chosen("m")];
  const title = make("h3", {}, make("span", { class: "dot", style: `--c:${dimension.color}`, "aria-hidden": "true" }), dimension.name);
  const about = `${dimension.group}; ${metric.name}, ${data.definitions[chosen("d")]} definition, ${metric.lower ? "lower" : "higher"} is better. The band is one person against the others.`;
  const there = data.cells[key]?.[index]?.some(Boolean);
  const raters = there ? ratersOf(index, key, metric.lower) : make("p", {}, "No figures for this emotion under this definition and metric.");
  drill.replaceChildren(title, make("p", { class: "soft" }, about), make("div", { class: "grid2" }, raters, peopleOf(dimension)));
}

if (drill) {
  select.parentElement.hidden = drill.hidden = false;
  select.addEventListener("change", draw);
  for (const input of document.querySelectorAll("input[type=radio]")) input.addEventListener("change", draw);
  for (const cell of document.querySelectorAll(".emotions th[data-key]")) {
    const button = make("button", { type: "button", class: "link" }, cell.lastChild.textContent);
    cell.lastChild.replaceWith(button);
    button.addEventListener("click", () => {
      select.value = cell.dataset.key;
      draw();
      drill.scrollIntoView({ block: "start" });
      select.focus({ preventScroll: true });
    });
  }
  draw();
}

const search = document.getElementById("search");
if (search) {
  const cards = [...document.querySelectorAll(".item")].map((card) => [card, card.textContent.toLowerCase()]);
  const hits = document.getElementById("hits");
  search.parentElement.hidden = false;
  search.addEventListener("input", () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const [card, text] of cards) {
      card.hidden = !words.every((word) => text.includes(word));
      count += card.hidden ? 0 : 1;
    }
    const more = document.querySelector("details.more");
    if (more && words.length) more.open = true;
    hits.textContent = words.length ? `${count} of ${cards.length} items` : "";
  });
}

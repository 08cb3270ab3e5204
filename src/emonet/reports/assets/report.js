"use strict";
// Sorting of the table; everything else works without a script.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  const key = (row, column) => {
    const cell = row.cells[column];
    if (cell.dataset.sort !== undefined) return Number(cell.dataset.sort);
    return cell.classList.contains("none") ? null : cell.textContent.trim().toLowerCase();
  };
  heads.forEach((head, column) => {
    head.firstElementChild.addEventListener("click", () => {
      const numbers = [...body.rows].some((row) => row.cells[column].dataset.sort !== undefined);
      const before = head.getAttribute("aria-sort");
      const down = before === "none" ? numbers && column > 1 : before === "ascending";
      const rows = [...body.rows].map((row) => [key(row, column), row]);
      rows.sort(([a], [b]) => {
        if (a === null || b === null) return (a === null) - (b === null); // what is not judged stays last
        const order = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
        return down ? -order : order;
      });
      body.append(...rows.map(([, row]) => row));
      for (const other of heads) other.setAttribute("aria-sort", "none");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      document.getElementById("sorted").textContent = `sorted by ${head.textContent}, ${down ? "highest" : "lowest"} first`;
    });
  });
}


// Tables are sorted by a click on the head of a column, or by Enter or Space on it.
"use strict";
const order = new Intl.Collator("en", { numeric: true }).compare;

function valueOf(row, column, isNumber) {
  const cell = row.cells[column];
  if (!isNumber) return cell.textContent === "-" ? null : cell.textContent;
  // As Python writes them.
  const text = (cell.dataset.value ?? "nan").replace("inf", "Infinity");
  return text === "nan" ? null : Number(text);
}

function sortBy(table, head) {
  const falls = head.getAttribute("aria-sort") === "ascending";
  const isNumber = head.classList.contains("number");
  const keyed = [...table.tBodies[0].rows].map((row) => ({
    row,
    value: valueOf(row, head.cellIndex, isNumber),
  }));
  keyed.sort(({ value: a }, { value: b }) => {
    // What is missing comes last, whichever way.
    if (a === null || b === null) return (a === null) - (b === null);
    const rising = isNumber ? (a > b) - (a < b) : order(a, b);
    return falls ? -rising : rising;
  });
  table.tBodies[0].append(...keyed.map(({ row }) => row));
  for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", falls ? "descending" : "ascending");
}

for (const table of document.querySelectorAll("table")) {
  for (const head of table.tHead.rows[0].cells) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sortBy(table, head));
    head.append(button);
  }
}

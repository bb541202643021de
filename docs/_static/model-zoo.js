// Filters and sorts the table of the model zoo; without it, the table is simply all there.
"use strict";

for (const zoo of document.querySelectorAll(".zoo")) {
  const body = zoo.querySelector("tbody");
  const rows = [...body.rows].map((row) => ({ row, text: row.textContent.toLowerCase() }));
  const count = zoo.querySelector("output");
  const box = zoo.querySelector("input");

  function filter() {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const { row, text } of rows) {
      row.hidden = !words.every((word) => text.includes(word));
      shown += !row.hidden;
    }
    count.value = `${shown} of ${rows.length}`;
  }

  function sort(heading) {
    const column = heading.cellIndex;
    const numeric = heading.classList.contains("number");
    // numbers are first asked for from the top, names from A
    const order = { none: numeric ? "descending" : "ascending", ascending: "descending", descending: "ascending" };
    const direction = order[heading.getAttribute("aria-sort")];
    for (const other of heading.parentElement.cells) other.setAttribute("aria-sort", "none");
    heading.setAttribute("aria-sort", direction);
    const sign = direction === "ascending" ? 1 : -1;
    const key = (row) => (numeric ? row.cells[column].dataset.sort : row.cells[column].textContent);
    const compare = numeric
      ? (a, b) => (a === "") - (b === "") || sign * (a - b) // rows without a number stay last
      : (a, b) => sign * a.localeCompare(b, "en", { numeric: true });
    body.append(...rows.map(({ row }) => row).sort((a, b) => compare(key(a), key(b))));
  }

  box.addEventListener("input", filter);
  for (const heading of zoo.querySelectorAll("th")) {
    heading.querySelector("button").addEventListener("click", () => sort(heading));
  }
  // #resnet in the address filters at once, so that a selection can be linked to
  if (location.hash.length > 1) box.value = decodeURIComponent(location.hash.slice(1));
  filter();
}

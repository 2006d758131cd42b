// The node table. A row keeps its element as long as its node exists: only differing cells are written and only
// misplaced rows are moved, so that a thousand nodes cost no more than those with a new heartbeat.
import { columns, comparison } from "./columns.js";
import { byID, h, preservingFocus, setText } from "./dom.js";
import { fleet } from "./fleet.js";
import { nodeLink, standing, states, whole } from "./format.js";

const body = byID("table").tBodies[0];
const head = byID("table").tHead.rows[0];
const filter = byID("filter");
const rows = new Map();
/// Rows in display order, filtered ones included.
let order = [];
let sorted = { column: columns.find(({ key }) => key === "state"), descending: false };
let compare = comparison(sorted.column, sorted.descending);
let only;

const classes = ({ isNumber, minor }) =>
  [isNumber && "number", minor && "minor"].filter(Boolean).join(" ") || undefined;
const blank = h(
  "tr",
  {},
  columns.map((column) =>
    h(
      column.key === "name" ? "th" : "td",
      { scope: column.key === "name" && "row", class: classes(column) },
      column.gauge ? [h("span"), h("span", { class: "gauge", "aria-hidden": "true" }, h("span"))] : "",
    ),
  ),
);

function makeRow(node) {
  const element = blank.cloneNode(true);
  element.cells[0].replaceChildren(nodeLink(node.name));
  return { element, cells: [...element.cells], texts: [], node };
}

/// Writes the cells that differ.
function write(row) {
  const { node, cells, texts } = row;
  const { level } = standing(node);
  if (row.level !== level) row.element.dataset.level = row.level = level;
  // Values of a silent node are outdated.
  row.element.classList.toggle("old", node.state === "silent");
  columns.forEach((column, index) => {
    const text = column.text(node);
    const isHighlighted = column.isHighlighted?.(node) ?? false;
    const share = column.gauge?.(node);
    const said = `${text}|${isHighlighted}|${share}`;
    if (texts[index] === said) return;
    texts[index] = said;
    const cell = cells[index];
    cell.classList.toggle("highlighted", isHighlighted);
    if (column.gauge) {
      cell.firstChild.textContent = text;
      cell.lastChild.hidden = share === undefined;
      cell.lastChild.firstChild.style.width = `${100 * (share ?? 0)}%`;
    } else if (column.key === "name") return;
    else cell.textContent = text;
    if (column.key === "state") cell.dataset.level = level;
  });
  row.words = [node.name, node.city, node.region, standing(node).text, node.body?.version].join(" ").toLowerCase();
}

/// Finds a row's position by binary search.
function place(row) {
  let [low, high] = [0, order.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compare(order[middle].node, row.node) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/// Applies changed nodes, and names of removed ones.
export function show(nodes, gone) {
  for (const name of gone) {
    rows.get(name)?.element.remove();
    rows.delete(name);
  }
  if (gone.length > 0) order = order.filter((row) => rows.has(row.node.name));
  // Sorting all rows is faster for many changes.
  const isMany = nodes.length > 50;
  for (const node of nodes) {
    const row = rows.get(node.name);
    if (!row) {
      const made = makeRow(node);
      rows.set(node.name, made);
      write(made);
      if (!isMany) insert(made);
      continue;
    }
    const moves = !isMany && sorted.column.value(row.node) !== sorted.column.value(node);
    if (moves) order.splice(order.indexOf(row), 1);
    row.node = node;
    write(row);
    if (moves) insert(row);
  }
  if (isMany) sort();
  applyFilter();
}

function insert(row) {
  const index = place(row);
  const next = order[index]?.element ?? null;
  order.splice(index, 0, row);
  if (row.element.parentNode && row.element.nextSibling === next) return;
  preservingFocus(row.element, () => body.insertBefore(row.element, next));
}

function sort() {
  const before = order;
  order = [...rows.values()].sort((left, right) => compare(left.node, right.node));
  if (before.length === order.length && order.every((row, index) => row === before[index])) return;
  preservingFocus(body, () => body.append(...order.map(({ element }) => element)));
}

/// Hides rows that do not match the filter.
function applyFilter() {
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const { node, element, words: text } of rows.values()) {
    const fits = (!only || node.state === only) && words.every((word) => text.includes(word));
    if (element.hidden === fits) element.hidden = !fits;
    if (fits) shown += 1;
  }
  setText(byID("shown"), shown === rows.size ? "" : `${whole(shown)} of ${whole(rows.size)} shown`);
  showCounts();
}

function showCounts() {
  const counts = {};
  for (const node of fleet.nodes.values()) counts[node.state] = (counts[node.state] ?? 0) + 1;
  for (const button of byID("counts").children) {
    const state = button.dataset.state;
    button.hidden = !counts[state] && only !== state;
    button.setAttribute("aria-pressed", String(only === state));
    setText(button, `${states[state]} ${whole(counts[state] ?? 0)}`);
  }
}

/// Updates the ages of visible rows.
export function tick() {
  // Measure everything before writing: otherwise the browser lays out the table for each row.
  const inSight = [];
  for (const row of order) {
    if (row.element.hidden) continue;
    const { top, bottom } = row.element.getBoundingClientRect();
    if (top > innerHeight) break;
    if (bottom > 0) inSight.push(row);
  }
  inSight.forEach(write);
}

function sortBy(column) {
  sorted = { column, descending: sorted.column === column && !sorted.descending };
  compare = comparison(column, sorted.descending);
  sort();
  showSorted();
}

function showSorted() {
  columns.forEach((column, index) => {
    if (column !== sorted.column) head.cells[index].removeAttribute("aria-sort");
    else head.cells[index].setAttribute("aria-sort", sorted.descending ? "descending" : "ascending");
  });
}

function choose(state) {
  only = only === state ? undefined : state;
  applyFilter();
}

export function begin() {
  const widths = h("colgroup");
  for (const column of columns) {
    const width = h("col", { class: column.minor && "minor-column" });
    width.style.width = `${column.width}rem`;
    widths.append(width);
    const button = h("button", { type: "button", onclick: () => sortBy(column) }, column.title);
    head.append(
      h("th", { scope: "col", class: classes(column) }, button),
    );
  }
  byID("table").prepend(widths);
  byID("counts").append(
    ...Object.keys(states).map((state) =>
      h("button", { type: "button", "data-state": state, onclick: () => choose(state) }, states[state]),
    ),
  );
  filter.addEventListener("input", applyFilter);
  showSorted();
}

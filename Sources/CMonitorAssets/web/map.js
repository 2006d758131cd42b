// The map of nodes (plate carrée: world.svg uses tenths of a degree, from 180 W and 84 N). Problems differ by shape as
// well as by color, and are drawn on top.
import { byID, preservingFocus, setText, svg } from "./dom.js";
import { fleet } from "./fleet.js";
import { count, standing } from "./format.js";

const shapes = {
  sev1: ["square", "M-6-6H6V6H-6z"],
  sev2: ["diamond", "M0-7.5L7.5 0 0 7.5-7.5 0z"],
  warning: ["triangle", "M0-6.5L7 5.5H-7z"],
  other: ["ring", "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z"],
  up: ["dot", "M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0z"],
};
/// Layers, bottom to top.
const layers = ["up", "other", "warning", "sev2", "sev1"];
const map = byID("map");
const groups = Object.fromEntries(layers.map((kind) => [kind, svg("g")]));
const dots = new Map();
/// More labels would overlap.
const mostLabels = 20;
/// Map units per screen pixel.
let pixel = 5;

const kindOf = (node) => (standing(node).kind in shapes ? standing(node).kind : "other");
const about = (node) => [node.name, node.city, standing(node).text].filter(Boolean).join(", ");

export function show(nodes, gone) {
  for (const name of gone) {
    dots.get(name)?.element.remove();
    dots.delete(name);
  }
  for (const node of nodes) {
    if (node.latitude === undefined || node.longitude === undefined) continue;
    let dot = dots.get(node.name);
    if (!dot) dots.set(node.name, (dot = make(node)));
    dot.node = node;
    write(dot);
  }
  showLabels();
  setText(byID("map-key"), legendText());
  byID("map-key").hidden = dots.size === 0;
}

function make(node) {
  const [x, y] = [(node.longitude + 180) * 10, (84 - node.latitude) * 10];
  const path = svg("path");
  const element = svg(
    "a",
    {
      href: `#/nodes/${encodeURIComponent(node.name)}`,
      transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})`,
      tabindex: dots.size === 0 ? "0" : "-1",
      onfocus: () => point(dot),
      onblur: () => point(),
      onpointerenter: () => point(dot),
      onpointerleave: () => point(),
    },
    path,
  );
  const dot = { element, path, x, y, node };
  return dot;
}

function write(dot) {
  const text = about(dot.node);
  if (dot.text !== text) dot.element.setAttribute("aria-label", (dot.text = text));
  const kind = kindOf(dot.node);
  if (dot.kind === kind) return;
  dot.kind = kind;
  dot.path.setAttribute("d", shapes[kind][1]);
  dot.element.dataset.level = standing(dot.node).level;
  dot.element.toggleAttribute("data-hollow", kind === "other");
  preservingFocus(dot.element, () => groups[kind].append(dot.element));
}

/// Labels all nodes of a small fleet; in a large one only those with problems, as long as they are few.
function showLabels() {
  const all = [...dots.values()];
  const withProblems = all.filter(({ kind }) => kind !== "up" && kind !== "other");
  const named = all.length <= mostLabels ? all : withProblems.length <= mostLabels ? withProblems : [];
  const taken = all.length <= mostLabels ? all.map(({ x, y }) => box(x, y, -6, 6)) : [];
  for (const dot of all) {
    const side = named.includes(dot) ? freeSide(dot, taken) : undefined;
    if (dot.side === side) continue;
    dot.side = side;
    dot.label?.remove();
    dot.label = side && svg("text", { "aria-hidden": "true", "text-anchor": side }, dot.node.name);
    if (dot.label) dot.element.append(dot.label);
  }
  map.toggleAttribute("data-dense", all.length > 100);
}

/// A box in map units: from `left` to `right` in screen pixels, beside a point.
const box = (x, y, left, right) => ({
  left: x + left * pixel,
  right: x + right * pixel,
  top: y - 6 * pixel,
  bottom: y + 6 * pixel,
});

/// Chooses the right or left side; none when the label would overlap another or leave the map.
function freeSide({ x, y, node }, taken) {
  const length = 8 + 7 * node.name.length;
  for (const [side, wanted] of [["start", box(x, y, 8, length)], ["end", box(x, y, -length, -8)]]) {
    const isTaken = taken.some(
      (other) =>
        other.right >= wanted.left &&
        other.left <= wanted.right &&
        other.bottom >= wanted.top &&
        other.top <= wanted.bottom,
    );
    if (isTaken || wanted.left < 0 || wanted.right > 3_600) continue;
    taken.push(wanted);
    return side;
  }
  return undefined;
}

function point(dot) {
  const label = byID("map-label");
  label.textContent = dot ? about(dot.node) : "";
  if (!dot) return;
  label.setAttribute("text-anchor", dot.x < 700 ? "start" : dot.x > 2_900 ? "end" : "middle");
  label.setAttribute("x", dot.x);
  label.setAttribute("y", dot.y);
  label.classList.toggle("below", dot.y < 120);
}

function legendText() {
  const nowhere = fleet.nodes.size - dots.size;
  const key = "● up, ○ late, silent, stopped, never seen or in maintenance, ▲ warning, ◆ SEV2, ■ SEV1";
  return nowhere > 0 ? `${key}. ${count(nowhere, "node has", "nodes have")} no location.` : key;
}

/// A single tab stop; arrow keys move from west to east and back.
function move(event) {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  const focused = event.target.closest("a");
  if (!step || !focused) return;
  event.preventDefault();
  const all = [...dots.values()].sort((left, right) => left.x - right.x || left.y - right.y);
  const index = all.findIndex(({ element }) => element === focused);
  const next = all[(index + step + all.length) % all.length].element;
  focused.setAttribute("tabindex", "-1");
  next.setAttribute("tabindex", "0");
  next.focus();
}

export function begin() {
  byID("dots").append(...layers.map((kind) => groups[kind]));
  byID("dots").addEventListener("keydown", move);
  // Dots and labels keep their screen size at any map width.
  new ResizeObserver(() => {
    if (map.clientWidth === 0) return;
    pixel = 3_600 / map.clientWidth;
    map.style.setProperty("--pixel", pixel);
    showLabels();
  }).observe(map);
}

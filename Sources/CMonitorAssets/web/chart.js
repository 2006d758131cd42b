// Line charts as SVG, with gaps for missing data, and the same values as a table.
import { h, setText, svg } from "./dom.js";
import { tenth, whole } from "./format.js";

const height = 150;
const edge = { left: 40, right: 6, top: 8, bottom: 20 };
const hour = 3_600_000;

/// The charts: `keys` are names of series, `top` is the fixed upper end of the scale.
export const charts = [
  { title: "CPU", unit: "%", keys: ["cpu_pct"], least: 10 },
  { title: "RAM", unit: "%", keys: ["ram_pct"], top: 100 },
  { title: "Disk", unit: "%", keys: ["disk_pct"], top: 100 },
  { title: "Requests and errors, 1 h", unit: "", keys: ["req_1h", "err_1h"], names: ["requests", "errors"], least: 10 },
  { title: "p99", unit: "ms", keys: ["p99_ms"], least: 1 },
  { title: "Ping", unit: "ms", keys: ["ping_ms"], least: 1 },
];

const number = (value) => (value < 100 && value % 1 !== 0 ? tenth(value) : whole(value));

/// Rounds up to the next of 1, 2, 5, 10, 20 …
function round(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value);
}

export function chart({ title, unit, keys, names = [title], top, least }, history, days) {
  const series = keys.map((key) => history.series[key] ?? []);
  const known = series.flat().filter((value) => value !== null);
  const most = top ?? round(Math.max(least, maximum(known)));
  const reading = h("span", { class: "muted" });
  const at = (index) => history.from + index * history.step;
  const say = (index) => {
    const values = series.map((line, which) => {
      const value = number(line[index] ?? undefined);
      return names.length > 1 ? `${names[which]} ${value}` : value;
    });
    setText(reading, `${stamp(at(index), days)}: ${values.join(", ")} ${unit}`);
  };
  const last = history.beats.findLastIndex((beats) => beats !== null);
  const rest = () => (last < 0 ? setText(reading, "no data in this range") : say(last));
  rest();
  const drawing = svg("svg", { role: "img", "aria-label": describe(title, unit, known, history) });
  const draw = () => {
    const width = drawing.clientWidth || 480;
    const x = (index) => edge.left + (index / Math.max(1, history.beats.length - 1)) * (width - edge.left - edge.right);
    const y = (value) => height - edge.bottom - (Math.min(value, most) / most) * (height - edge.top - edge.bottom);
    const cursor = svg("line", { class: "cursor", y1: edge.top, y2: height - edge.bottom, visibility: "hidden" });
    drawing.replaceChildren(
      ...[0, most / 2, most].flatMap((value) => [
        svg("line", { class: "grid", x1: edge.left, x2: width - edge.right, y1: y(value), y2: y(value) }),
        svg("text", { x: edge.left - 5, y: y(value) + 4, "text-anchor": "end" }, number(value)),
      ]),
      ...ticks(history, days).map(([index, words]) =>
        svg("text", { x: x(index), y: height - 5, "text-anchor": index === 0 ? "start" : "middle" }, words),
      ),
      ...series.map((line, which) => svg("path", { class: which ? "series second" : "series", d: path(line, x, y) })),
      cursor,
    );
    drawing.onpointermove = ({ offsetX }) => {
      const share = (offsetX - edge.left) / (width - edge.left - edge.right);
      const index = Math.round(Math.min(1, Math.max(0, share)) * (history.beats.length - 1));
      cursor.setAttribute("x1", x(index));
      cursor.setAttribute("x2", x(index));
      cursor.setAttribute("visibility", "visible");
      say(index);
    };
    drawing.onpointerleave = () => {
      cursor.setAttribute("visibility", "hidden");
      rest();
    };
  };
  new ResizeObserver(draw).observe(drawing);
  return h(
    "figure",
    {},
    h("figcaption", {}, h("h3", {}, title), reading),
    drawing,
    table({ title, unit, names }, series, history, days),
  );
}

const maximum = (values) => values.reduce((most, value) => Math.max(most, value), 0);

/// An isolated point is drawn as a ring.
const ring = "m-1.5 0a1.5 1.5 0 1 0 3 0a1.5 1.5 0 1 0 -3 0";
function path(line, x, y) {
  let [d, isPen] = ["", false];
  line.forEach((value, index) => {
    if (value === null) {
      isPen = false;
      return;
    }
    const point = `${x(index).toFixed(1)} ${y(value).toFixed(1)}`;
    d += isPen ? `L${point}` : `M${point}${(line[index + 1] ?? null) === null ? ring : ""}`;
    isPen = true;
  });
  return d;
}

/// Labels every sixth hour of a day, every fifth day of thirty; more often in shorter ranges.
function ticks({ from, step, beats }, days) {
  const marks = [];
  const end = from + step * beats.length;
  if (end - from < 12 * hour) return shortTicks(from, step, end);
  const date = new Date(from);
  if (days === 1) date.setMinutes(60, 0, 0);
  else date.setHours(24, 0, 0, 0);
  for (; date.getTime() < end; days === 1 ? date.setTime(date.getTime() + hour) : date.setDate(date.getDate() + 1)) {
    const few = end - from < 10 * 24 * hour;
    const fits = days === 1 ? date.getHours() % 6 === 0 : few || (date.getDate() % 5 === 0 && date.getDate() !== 30);
    if (fits) marks.push([(date.getTime() - from) / step, (days === 1 ? clock : dayOfMonth).format(date)]);
  }
  return marks;
}

/// Hours, quarters or minutes: whichever gives two to six labels.
function shortTicks(from, step, end) {
  const size = [5, 15, 30, 60, 120].map((minutes) => minutes * 60_000).find((size) => (end - from) / size <= 6) ?? 3 * hour;
  const marks = [];
  for (let at = Math.ceil(from / size) * size; at < end; at += size) marks.push([(at - from) / step, clock.format(at)]);
  return marks;
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const dayOfMonth = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const dayAndHour = new Intl.DateTimeFormat(undefined, {
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});
const stamp = (at, days) => (days === 1 ? clock : dayAndHour).format(at);

function describe(title, unit, known, { beats }) {
  if (known.length === 0) return `${title}: no data in this range`;
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
  const least = known.reduce((low, value) => Math.min(low, value));
  const missing = beats.filter((count) => count === null).length;
  const share = missing ? `; no data for ${whole((100 * missing) / beats.length)} % of the time` : "";
  return `${title}: from ${number(least)} to ${number(maximum(known))}, on average ${tenth(mean)} ${unit}${share}`;
}

/// Means per hour or day, rendered when opened.
function table({ title, unit, names }, series, history, days) {
  const size = (days === 1 ? hour : 24 * hour) / history.step;
  const inside = h("div", { tabindex: "0", role: "region", "aria-label": `${title} as a table` });
  const fill = () => {
    if (inside.firstChild) return;
    const rows = [];
    for (let start = 0; start < history.beats.length; start += size) {
      const values = series.map((line) => mean(line.slice(start, start + size)));
      const cells = values.map((value) => h("td", { class: "number" }, value === undefined ? "–" : number(value)));
      rows.push(h("tr", {}, h("th", { scope: "row" }, stamp(history.from + start * history.step, days)), cells));
    }
    const heads = ["From", ...names.map((name) => (unit ? `${name}, ${unit}` : name))];
    const cells = heads.map((name, index) => h("th", { scope: "col", class: index > 0 && "number" }, name));
    inside.append(h("table", {}, h("thead", {}, h("tr", {}, cells)), h("tbody", {}, rows)));
  };
  return h("details", { ontoggle: fill }, h("summary", {}, `${title} as a table`), inside);
}

function mean(values) {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0) / known.length;
}

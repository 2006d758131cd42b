// The page of one node: figures, charts, its incidents.
import { get } from "./api.js";
import { button, endWork, planWork, silence } from "./actions.js";
import { chart, charts } from "./chart.js";
import { h } from "./dom.js";
import { figures } from "./figures.js";
import { fleet, onChange } from "./fleet.js";
import { incidentTable } from "./incident.js";
import { showOpen } from "./incidents.js";
import { standing, time, zone } from "./words.js";

export async function nodePage(page, name) {
  const path = `/nodes/${encodeURIComponent(name)}`;
  let node, incidents;
  try {
    ({ node, incidents } = await get(path));
  } catch (error) {
    if (error.status !== 404) throw error;
    return page.show(name, ...stranger(name));
  }
  const parts = {
    state: h("span"),
    notes: h("div"),
    figures: h("div"),
    open: h("ol", { class: "incidents" }),
    past: h("div"),
    charts: h("div", { class: "charts" }),
  };

  function showNode() {
    const { level, text } = standing(node);
    parts.state.dataset.level = level;
    parts.state.textContent = text;
    parts.notes.replaceChildren(...notes(node));
    parts.figures.replaceChildren(figures(node));
  }
  function showIncidents() {
    const open = fleet.incidents.filter((incident) => incident.node === name);
    showOpen(parts.open, open, { nothing: "None open.", withNode: false });
  }
  function showPast() {
    const past = incidents.filter(({ resolved }) => resolved);
    parts.past.replaceChildren();
    if (past.length > 0) parts.past.append(h("h3", {}, "Resolved"), incidentTable(past, "Resolved incidents").element);
  }

  const days = daysSwitch((chosen) => showCharts(chosen).catch(page.fail));
  async function showCharts(chosen) {
    const history = sinceItsBeginning(await get(`${path}/history?days=${chosen}`));
    const isEmpty = history.beats.every((beats) => beats === null);
    parts.charts.replaceChildren(
      ...(isEmpty
        ? [h("p", { class: "muted" }, "Nothing yet: a chart has a point for each full minute.")]
        : charts.map((each) => chart(each, history, chosen))),
    );
  }

  showNode();
  showIncidents();
  showPast();
  page.show(
    name,
    h(
      "header",
      {},
      h("h1", { tabindex: "-1" }, name),
      parts.state,
      h("span", { class: "muted" }, [node.city, node.region].filter(Boolean).join(", ")),
      h(
        "p",
        { class: "buttons" },
        button("work", "Plan work", "", () => planWork(name)),
        button("silence", "Silence", "", () => silence({ node: name })),
      ),
    ),
    parts.notes,
    h("section", { class: "panel" }, h("h2", {}, "Incidents"), parts.open, parts.past),
    h("section", { class: "panel" }, h("div", { class: "tools-line" }, h("h2", {}, "Over time"), days, h("span", { class: "muted" }, `Times are ${zone}.`)), parts.charts),
    parts.figures,
  );
  page.whenLeft(
    onChange((change) => {
      const fresh = change.nodes.find((other) => other.name === name);
      if (fresh) node = fresh;
      if (fresh || change.work) showNode();
      if (!change.incidents) return;
      showIncidents();
      get(path).then((body) => {
        incidents = body.incidents;
        showPast();
      }, page.fail);
    }),
  );
  const minutely = setInterval(() => days.again(), 60_000);
  page.whenLeft(() => clearInterval(minutely));
  await showCharts(1);
}

/// Of a node that is there since an hour, a day is an empty chart: it begins with the first beat, and has ten points at least.
function sinceItsBeginning(history) {
  const first = history.beats.findIndex((beats) => beats !== null);
  const from = Math.max(0, Math.min(first, history.beats.length - 10));
  if (from === 0) return history;
  const series = Object.fromEntries(Object.entries(history.series).map(([name, line]) => [name, line.slice(from)]));
  return { ...history, from: history.from + from * history.step, beats: history.beats.slice(from), series };
}

/// Somebody followed an old link, or mistyped.
function stranger(name) {
  return [
    h("header", {}, h("h1", { tabindex: "-1" }, `There is no node ${name}`)),
    h(
      "section",
      { class: "panel" },
      h("p", {}, "It was removed or renamed since this link was made, or the name is mistyped."),
      h("p", {}, h("a", { href: "#/" }, "All nodes"), " · ", h("a", { href: "#/incidents" }, "Past incidents")),
    ),
  ];
}

function daysSwitch(choose) {
  let present = 1;
  const buttons = [
    [1, "24 hours"],
    [30, "30 days"],
  ].map(([days, words]) => {
    const press = () => {
      present = days;
      for (const other of buttons) other.setAttribute("aria-pressed", String(other === made));
      choose(days);
    };
    const made = h("button", { type: "button", "aria-pressed": String(days === present), onclick: press }, words);
    return made;
  });
  const group = h("span", { class: "buttons", role: "group", "aria-label": "Time shown" }, buttons);
  group.again = () => choose(present);
  return group;
}

/// What is to be known before any figure.
function notes(node) {
  const leases = fleet.leases.filter(({ nodes }) => nodes.length === 0 || nodes.includes(node.name));
  return [
    node.ill && h("p", { class: "banner" }, `It says that it is ill: ${node.ill}`),
    node.refused && h("p", { class: "banner" }, `What is wrong with its last push: ${node.refused}`),
    ...leases.map((lease) =>
      h(
        "p",
        { class: "banner" },
        `Planned work by ${lease.by} until `,
        time(lease.until),
        `: ${lease.reason} `,
        button("end", "End it", lease.reason, () => endWork(lease)),
      ),
    ),
  ].filter(Boolean);
}

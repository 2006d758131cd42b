// The page of one node: values, charts and incidents.
import { get } from "./api.js";
import { button, endMaintenance, beginMaintenance, silence } from "./actions.js";
import { chart, charts } from "./chart.js";
import { h } from "./dom.js";
import { figures } from "./details.js";
import { fleet, onChange } from "./fleet.js";
import { incidentTable } from "./incident.js";
import { showOpenIncidents } from "./incidents.js";
import { standing, time, zone } from "./format.js";

export async function nodePage(page, name) {
  const path = `/nodes/${encodeURIComponent(name)}`;
  let node, incidents;
  try {
    ({ node, incidents } = await get(path));
  } catch (error) {
    if (error.status !== 404) throw error;
    return page.show(name, ...unknownNode(name));
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
    showOpenIncidents(parts.open, open, { nothing: "None open.", withNode: false });
  }
  function showPast() {
    const past = incidents.filter(({ resolved }) => resolved);
    parts.past.replaceChildren();
    if (past.length > 0) parts.past.append(h("h3", {}, "Resolved"), incidentTable(past, "Resolved incidents").element);
  }

  const days = daysSwitch((chosen) => showCharts(chosen).catch(page.fail));
  async function showCharts(chosen) {
    const history = fromFirstHeartbeat(await get(`${path}/history?days=${chosen}`));
    const isEmpty = history.beats.every((beats) => beats === null);
    parts.charts.replaceChildren(
      ...(isEmpty
        ? [h("p", { class: "muted" }, "No data yet: charts have one point per full minute.")]
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
        button("work", "Start maintenance", "", () => beginMaintenance(name)),
        button("silence", "Silence", "", () => silence({ node: name })),
      ),
    ),
    parts.notes,
    h("section", { class: "panel" }, h("h2", {}, "Incidents"), parts.open, parts.past),
    h("section", { class: "panel" }, h("div", { class: "tools-line" }, h("h2", {}, "History"), days, h("span", { class: "muted" }, `Times are ${zone}.`)), parts.charts),
    parts.figures,
  );
  page.onLeave(
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
  page.onLeave(() => clearInterval(minutely));
  await showCharts(1);
}

/// Cuts the time before the first heartbeat, so that a new node's chart is not mostly empty; keeps at least ten points.
function fromFirstHeartbeat(history) {
  const first = history.beats.findIndex((beats) => beats !== null);
  const from = Math.max(0, Math.min(first, history.beats.length - 10));
  if (from === 0) return history;
  const series = Object.fromEntries(Object.entries(history.series).map(([name, line]) => [name, line.slice(from)]));
  return { ...history, from: history.from + from * history.step, beats: history.beats.slice(from), series };
}

/// The page of an unknown node: an old link or a typo.
function unknownNode(name) {
  return [
    h("header", {}, h("h1", { tabindex: "-1" }, `There is no node ${name}`)),
    h(
      "section",
      { class: "panel" },
      h("p", {}, "It was removed or renamed after this link was created, or the name is misspelt."),
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
  const group = h("span", { class: "buttons", role: "group", "aria-label": "Time range" }, buttons);
  group.again = () => choose(present);
  return group;
}

/// Notes above the values.
function notes(node) {
  const maintenanceWindows = fleet.maintenanceWindows.filter(({ nodes }) => nodes.length === 0 || nodes.includes(node.name));
  return [
    node.healthProblem && h("p", { class: "banner" }, `The node reports a health problem: ${node.healthProblem}`),
    node.refused && h("p", { class: "banner" }, `Problem with its last push: ${node.refused}`),
    ...maintenanceWindows.map((window) =>
      h(
        "p",
        { class: "banner" },
        `Maintenance by ${window.by} until `,
        time(window.until),
        `: ${window.reason} `,
        button("end", "End it", window.reason, () => endMaintenance(window)),
      ),
    ),
  ].filter(Boolean);
}

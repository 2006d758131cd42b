// The page of one incident, and the incident history.
import { get } from "./api.js";
import { incidentButtons } from "./actions.js";
import { h } from "./dom.js";
import { now, onChange } from "./fleet.js";
import { acknowledgement, describeCause, incidentLink } from "./incidents.js";
import { age, nodeLink, rules, severities, duration, tag, time, zone } from "./format.js";

const kinds = {
  opened: "Opened",
  raised: "Raised",
  lowered: "Lowered",
  acknowledged: "Acknowledged",
  hidden: "Inhibited",
  shown: "No longer inhibited",
  resolved: "Resolved",
  escalated: "Escalated, because it was not acknowledged",
  reminded: "Reminder sent",
};

export async function incidentPage(page, id) {
  async function load() {
    const { incident, timeline } = await get(`/incidents/${encodeURIComponent(id)}`);
    // Reloaded on every change as long as it is open.
    isOver = incident.resolved !== undefined;
    page.show(incident.title, ...about(incident), history(timeline));
  }
  let isOver = false;
  page.onLeave(onChange(({ incidents }) => incidents && !isOver && load().catch(page.fail)));
  await load();
}

function about(incident) {
  const facts = [
    ["Node", incident.node && nodeLink(incident.node)],
    ["Region", incident.region],
    ["Rule", rules[incident.rule] ?? incident.rule],
    [`Opened (${zone})`, time(incident.opened)],
    [`Resolved (${zone})`, incident.resolved && time(incident.resolved)],
    ["Duration", incident.resolved && duration(incident.resolved - incident.opened)],
    ["Open for", !incident.resolved && age(incident.opened, now())],
  ];
  return [
    h(
      "header",
      {},
      h("h1", { tabindex: "-1" }, tag(incident.severity), incident.title),
      incident.resolved && h("span", { "data-level": "up" }, "Resolved"),
      incidentButtons(incident),
    ),
    h(
      "section",
      { class: "panel" },
      h("h2", { class: "unseen" }, "Details"),
      incident.detail && h("p", {}, incident.detail),
      incident.inhibitedBy && h("p", { class: "muted" }, describeCause(incident.inhibitedBy)),
      incident.acknowledged && acknowledgement(incident.acknowledged),
      h(
        "dl",
        { class: "figures" },
        facts.filter(([, value]) => value).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
      ),
    ),
  ];
}

function history(timeline) {
  const lines = timeline.map((line) =>
    h(
      "li",
      {},
      h("span", { class: "muted" }, time(line.at)),
      " ",
      tag(line.severity),
      kinds[line.kind] ?? line.kind,
      line.by && ` by ${line.by}`,
      line.note && `: ${line.note}`,
      line.inhibitedBy && h("span", { class: "muted" }, ` (${describeCause(line.inhibitedBy)})`),
    ),
  );
  return h("section", { class: "panel" }, h("h2", {}, "Timeline"), h("ol", { class: "timeline" }, lines));
}

/// A table of incidents, in the given order.
export function incidentTable(incidents, label) {
  const row = (incident) =>
    h(
      "tr",
      { "data-id": incident.id },
      h("td", {}, time(incident.opened)),
      h("td", {}, h("span", { "data-level": incident.severity }, severities[incident.severity])),
      h("th", { scope: "row" }, incidentLink(incident)),
      h("td", { "data-title": "Duration" }, incident.resolved ? duration(incident.resolved - incident.opened) : h("b", {}, "open")),
      h("td", { "data-title": "Acknowledged by" }, incident.acknowledged?.by ?? "–"),
    );
  const body = h("tbody", {}, incidents.map(row));
  const titles = [`Opened (${zone})`, "Severity", "Incident", "Duration", "Acknowledged by"];
  const heads = titles.map((title) => h("th", { scope: "col" }, title));
  const table = h("table", { class: "stacked" }, h("thead", {}, h("tr", {}, heads)), body);
  return {
    element: h("div", { class: "wide", tabindex: "0", role: "region", "aria-label": label }, table),
    add: (more) => body.append(...more.map(row)),
  };
}

/// All stored incidents, newest first, fifty at a time.
export async function historyPage(page) {
  let isLong = false;
  async function load() {
    const { incidents } = await get("/incidents");
    const table = incidentTable(incidents, "Incidents");
    let last = incidents.at(-1)?.id;
    const older = h("button", { type: "button", hidden: incidents.length < 50, onclick: more }, "Older incidents");
    async function more() {
      isLong = true;
      try {
        const { incidents: next } = await get(`/incidents?before=${last}`);
        table.add(next);
        last = next.at(-1)?.id ?? last;
        older.hidden = next.length < 50;
      } catch (error) {
        page.fail(error);
      }
    }
    page.show(
      "Incidents",
      h("header", {}, h("h1", { tabindex: "-1" }, "Incidents")),
      h(
        "section",
        { class: "panel" },
        incidents.length > 0 ? [table.element, older] : h("p", { class: "muted" }, "None so far."),
      ),
    );
  }
  // Does not jump back to the first page while older ones are open.
  page.onLeave(onChange(({ incidents }) => incidents && !isLong && load().catch(page.fail)));
  await load();
}

// The page of maintenance windows, plans and silences.
import { post } from "./api.js";
import { button, endSilence, endMaintenance, removePlan, silence } from "./actions.js";
import { field, minutes, reason, submit } from "./dialog.js";
import { h } from "./dom.js";
import { fleet, now, onChange, refresh } from "./fleet.js";
import { nodeLink, rules, duration, time } from "./format.js";

export async function maintenancePage(page) {
  const [maintenanceWindows, plans, silences] = [h("div"), h("div"), h("div")];
  function show() {
    maintenanceWindows.replaceChildren(
      list(fleet.maintenanceWindows, ["Nodes", "Reason", "By", "Until", ""], (window) => [
        names(window.nodes),
        ...common(window),
        button("end", "End it", window.reason, () => endMaintenance(window)),
      ]),
    );
    plans.replaceChildren(
      list(fleet.plans, ["Nodes", "Reason", "By", "Start", "Duration", ""], ({ plan, next }) => [
        names(plan.nodes),
        plan.reason,
        plan.by,
        begins(plan, next),
        duration(plan.duration),
        button("remove", "Remove", plan.reason, () => removePlan(plan)),
      ]),
    );
    silences.replaceChildren(
      list(fleet.silences, ["Node", "Rule", "Reason", "By", "Until", ""], (silence) => [
        silence.node ? nodeLink(silence.node) : "any",
        silence.rule ? (rules[silence.rule] ?? silence.rule) : "everything",
        ...common(silence),
        button("end", "End it", silence.reason, () => endSilence(silence)),
      ]),
    );
  }
  await refresh();
  show();
  page.show(
    "Maintenance",
    h("header", {}, h("h1", { tabindex: "-1" }, "Maintenance and silences")),
    h("section", { class: "panel" }, h("h2", {}, "In progress"), maintenanceWindows),
    h("section", { class: "panel" }, h("h2", {}, "Planned"), plans, maintenanceForm()),
    h(
      "section",
      { class: "panel" },
      h("h2", {}, "Silences"),
      silences,
      h("p", { class: "buttons" }, button("silence", "New silence", "", () => silence())),
    ),
  );
  page.onLeave(onChange(({ work }) => work && show()));
}

const names = (nodes) =>
  nodes.length === 0 ? "all" : nodes.flatMap((name, index) => [index > 0 && ", ", nodeLink(name)]);

const weekday = new Intl.DateTimeFormat("en", { weekday: "long", timeZone: "UTC" });

function begins({ start, zone, isWeekly }, next) {
  const [day, clock] = start.split("T");
  const rule = isWeekly ? `each ${weekday.format(new Date(`${day}T00:00Z`))} at ${clock}` : `${day} at ${clock}`;
  return [
    `${rule}, ${zone}`,
    next === undefined
      ? h("strong", {}, ": the monitor's machine does not know that time zone")
      : h("span", { class: "muted" }, isWeekly ? ", next " : ", ", time(next)),
  ];
}

const common = ({ reason, by, until }) => [
  reason,
  by,
  [time(until), h("span", { class: "muted" }, `, in ${duration(until - now())}`)],
];

function list(items, titles, cells) {
  if (items.length === 0) return h("p", { class: "muted" }, "None.");
  const head = h("tr", {}, titles.map((title) => (title ? h("th", { scope: "col" }, title) : h("td"))));
  const rows = items.map((item) => h("tr", {}, cells(item).map((cell) => h("td", {}, cell))));
  return h("div", { class: "wide" }, h("table", {}, h("thead", {}, head), h("tbody", {}, rows)));
}

function maintenanceForm() {
  const nodes = field({ name: "nodes", label: "Nodes, separated by commas", list: "node-names", required: true })();
  const everyone = h("input", { name: "all", type: "checkbox" });
  // "All" must be selected explicitly: an empty field is too easily submitted.
  everyone.addEventListener("change", () => (nodes.querySelector("input").disabled = everyone.checked));
  const later = h("input", { name: "later", type: "checkbox" });
  const own = new Intl.DateTimeFormat().resolvedOptions().timeZone;
  const start = h(
    "fieldset",
    { class: "bare", hidden: true, disabled: true },
    h("legend", { class: "unseen" }, "Start time"),
    field({ name: "start", label: "Start", type: "datetime-local", required: true })(),
    field({ name: "zone", label: "Time zone", value: own, list: "zones", required: true })(),
    h("datalist", { id: "zones" }, Intl.supportedValuesOf("timeZone").map((zone) => h("option", { value: zone }))),
    h("label", { class: "check" }, h("input", { name: "isWeekly", type: "checkbox" }), " every week"),
  );
  const begin = h("button", { class: "main" }, "Begin");
  function change() {
    start.hidden = start.disabled = !later.checked;
    begin.textContent = later.checked ? "Plan" : "Begin";
  }
  later.addEventListener("change", change);
  const form = h(
    "form",
    { class: "maintenance-form" },
    h("h3", {}, "New maintenance"),
    nodes,
    h("label", { class: "check" }, everyone, " all nodes"),
    minutes(),
    reason(),
    h("label", { class: "check" }, later, " later, or every week"),
    start,
    h("p", { class: "wrong", role: "alert" }),
    h("p", { class: "buttons" }, begin),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const isDone = await submit(form, async ({ nodes, all, minutes, reason, later, start, zone, isWeekly }) => {
      const names = all ? [] : nodes.split(/[\s,]+/).filter(Boolean);
      if (!all && names.length === 0) throw new Error("Name a node.");
      const work = { nodes: names, minutes, reason };
      await (later ? post("/plans", { ...work, start, zone, isWeekly: Boolean(isWeekly) }) : post("/maintenance", work));
      await refresh();
    });
    if (!isDone) return;
    form.reset();
    nodes.querySelector("input").disabled = false;
    change();
  });
  return form;
}

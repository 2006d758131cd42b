// Planned work and silences: what there is, and how to begin and end it.
import { post } from "./api.js";
import { button, endSilence, endWork, removePlan, silence } from "./actions.js";
import { field, minutes, reason, submit } from "./ask.js";
import { h } from "./dom.js";
import { fleet, now, onChange, refresh } from "./fleet.js";
import { nodeLink, rules, span, time } from "./words.js";

export async function workPage(page) {
  const [leases, plans, silences] = [h("div"), h("div"), h("div")];
  function show() {
    leases.replaceChildren(
      list(fleet.leases, ["Nodes", "Why", "By", "Until", ""], (lease) => [
        names(lease.nodes),
        ...common(lease),
        button("end", "End it", lease.reason, () => endWork(lease)),
      ]),
    );
    plans.replaceChildren(
      list(fleet.plans, ["Nodes", "Why", "By", "Begins", "For", ""], ({ plan, next }) => [
        names(plan.nodes),
        plan.reason,
        plan.by,
        begins(plan, next),
        span(plan.span),
        button("remove", "Remove", plan.reason, () => removePlan(plan)),
      ]),
    );
    silences.replaceChildren(
      list(fleet.silences, ["Node", "Of what", "Why", "By", "Until", ""], (silence) => [
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
    "Planned work",
    h("header", {}, h("h1", { tabindex: "-1" }, "Planned work and silences")),
    h("section", { class: "panel" }, h("h2", {}, "Under way"), leases),
    h("section", { class: "panel" }, h("h2", {}, "To come"), plans, workForm()),
    h(
      "section",
      { class: "panel" },
      h("h2", {}, "Silences"),
      silences,
      h("p", { class: "buttons" }, button("silence", "New silence", "", () => silence())),
    ),
  );
  page.whenLeft(onChange(({ work }) => work && show()));
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
  [time(until), h("span", { class: "muted" }, `, in ${span(until - now())}`)],
];

function list(items, titles, cells) {
  if (items.length === 0) return h("p", { class: "muted" }, "None.");
  const head = h("tr", {}, titles.map((title) => (title ? h("th", { scope: "col" }, title) : h("td"))));
  const rows = items.map((item) => h("tr", {}, cells(item).map((cell) => h("td", {}, cell))));
  return h("div", { class: "wide" }, h("table", {}, h("thead", {}, head), h("tbody", {}, rows)));
}

function workForm() {
  const nodes = field({ name: "nodes", label: "Nodes, with commas between", list: "node-names", required: true })();
  const everyone = h("input", { name: "all", type: "checkbox" });
  // "All" has to be said: an empty line is too easily sent.
  everyone.addEventListener("change", () => (nodes.querySelector("input").disabled = everyone.checked));
  const later = h("input", { name: "later", type: "checkbox" });
  const own = new Intl.DateTimeFormat().resolvedOptions().timeZone;
  const start = h(
    "fieldset",
    { class: "bare", hidden: true, disabled: true },
    h("legend", { class: "unseen" }, "When it begins"),
    field({ name: "start", label: "Begins", type: "datetime-local", required: true })(),
    field({ name: "zone", label: "By the clocks of", value: own, list: "zones", required: true })(),
    h("datalist", { id: "zones" }, Intl.supportedValuesOf("timeZone").map((zone) => h("option", { value: zone }))),
    h("label", { class: "check" }, h("input", { name: "isWeekly", type: "checkbox" }), " each week"),
  );
  const begin = h("button", { class: "main" }, "Begin");
  function change() {
    start.hidden = start.disabled = !later.checked;
    begin.textContent = later.checked ? "Plan" : "Begin";
  }
  later.addEventListener("change", change);
  const form = h(
    "form",
    { class: "work-form" },
    h("h3", {}, "New planned work"),
    nodes,
    h("label", { class: "check" }, everyone, " all nodes"),
    minutes(),
    reason(),
    h("label", { class: "check" }, later, " later, or each week"),
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

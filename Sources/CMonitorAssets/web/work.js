// Planned work and silences: what there is, and how to begin and end it.
import { post } from "./api.js";
import { button, endSilence, endWork, silence } from "./actions.js";
import { field, minutes, reason, submit } from "./ask.js";
import { h } from "./dom.js";
import { fleet, now, onChange, refresh } from "./fleet.js";
import { nodeLink, rules, span, time } from "./words.js";

export async function workPage(page) {
  const [leases, silences] = [h("div"), h("div")];
  function show() {
    leases.replaceChildren(
      list(fleet.leases, ["Nodes", "Why", "By", "Until", ""], (lease) => [
        lease.nodes.length === 0 ? "all" : lease.nodes.flatMap((name, index) => [index > 0 && ", ", nodeLink(name)]),
        ...common(lease),
        button("end", "End it", lease.reason, () => endWork(lease)),
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
    h("section", { class: "panel" }, h("h2", {}, "Planned work"), leases, workForm()),
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
  const form = h(
    "form",
    { class: "work-form" },
    h("h3", {}, "New planned work"),
    nodes,
    h("label", { class: "check" }, everyone, " all nodes"),
    minutes(),
    reason(),
    h("p", { class: "wrong", role: "alert" }),
    h("p", { class: "buttons" }, h("button", { class: "main" }, "Begin")),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const isDone = await submit(form, async ({ nodes, all, minutes, reason }) => {
      const names = all ? [] : nodes.split(/[\s,]+/).filter(Boolean);
      if (!all && names.length === 0) throw new Error("Name a node.");
      await post("/maintenance", { nodes: names, minutes, reason });
      await refresh();
    });
    if (!isDone) return;
    form.reset();
    nodes.querySelector("input").disabled = false;
  });
  return form;
}

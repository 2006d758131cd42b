// The list of open incidents. Inhibited incidents are collapsed below their cause.
import { incidentButtons } from "./actions.js";
import { h, preservingFocus } from "./dom.js";
import { fleet, now } from "./fleet.js";
import { age, count, moment, nodeLink, tag } from "./format.js";

/// Maximum number of items; the rest is counted.
const most = 50;
const order = ["sev1", "sev2", "warning"];

/// Sorts by severity, then unacknowledged first, then newest first.
const byUrgency = (left, right) =>
  order.indexOf(left.severity) - order.indexOf(right.severity) ||
  Boolean(left.acknowledged) - Boolean(right.acknowledged) ||
  right.id - left.id;

export const incidentLink = (incident) => h("a", { href: `#/incidents/${incident.id}` }, incident.title);

export const acknowledgement = ({ by, at, note }) =>
  h("p", { class: "muted", title: moment(at) }, `Acknowledged by ${by}${note ? `: ${note}` : ""}`);

/// Shows `incidents` in `list`. An item keeps its element until its content changes.
export function showOpenIncidents(list, incidents, { nothing, withNode = true }) {
  const open = new Map(incidents.map((incident) => [incident.key, incident]));
  const below = new Map();
  const active = [];
  for (const incident of incidents) {
    const cause = rootCause(incident, open);
    if (!cause) active.push(incident);
    else if (cause.startsWith("silence/")) push(below, "silenced", incident);
    else if (open.has(cause)) push(below, cause, incident);
    else push(below, "elsewhere", incident);
  }
  active.sort(byUrgency);
  const items = active.slice(0, most).map((incident) => ({
    id: `incident-${incident.id}`,
    says: [incident, below.get(incident.key)],
    make: () => card(incident, below.get(incident.key) ?? [], withNode),
  }));
  if (active.length > most) items.push(line("more", `${count(active.length - most, "other", "others")}: see Incidents.`));
  for (const [key, words] of [["silenced", "silenced"], ["elsewhere", "with a cause on another page"]]) {
    const followers = below.get(key);
    if (!followers) continue;
    items.push({ id: key, says: followers, make: () => h("li", { class: "over" }, collapsed(followers, words)) });
  }
  if (incidents.length === 0) items.push(line("nothing", nothing));
  patch(list, items);
}

/// The inhibiting incident may itself be inhibited.
function rootCause(incident, open) {
  let cause = incident.inhibitedBy;
  for (let step = 0; step < open.size && open.get(cause)?.inhibitedBy; step += 1) cause = open.get(cause).inhibitedBy;
  return cause;
}

const push = (map, key, value) => map.set(key, [...(map.get(key) ?? []), value]);
const line = (id, words) => ({ id, says: words, make: () => h("li", { class: "over muted" }, words) });

function patch(list, items) {
  const present = new Map([...list.children].map((item) => [item.dataset.id, item]));
  const isFirst = present.size === 0;
  const elements = items.map(({ id, says, make }) => {
    const before = present.get(id);
    const said = JSON.stringify(says);
    if (before?.said === said) return before;
    const made = make();
    made.said = said;
    made.dataset.id = id;
    made.classList.toggle("fresh", !before && !isFirst);
    if (before?.querySelector("details")?.open) made.querySelector("details")?.setAttribute("open", "");
    return made;
  });
  const isSame = elements.length === list.children.length && elements.every((item, at) => item === list.children[at]);
  if (isSame) return;
  const again = (focused) => {
    const item = elements.find(({ dataset }) => dataset.id === focused.closest("li[data-id]")?.dataset.id);
    const selector = focused.dataset.do ? `[data-do="${focused.dataset.do}"]` : focused.tagName;
    // When the focused item is gone, the focus moves to the first item.
    return item?.querySelector(selector) ?? (item ?? elements[0])?.querySelector("a");
  };
  preservingFocus(list, () => list.replaceChildren(...elements), again);
}

function card(incident, followers, withNode) {
  return h(
    "li",
    { "data-severity": incident.severity },
    h("p", {}, tag(incident.severity), incidentLink(incident)),
    incident.detail && h("p", {}, incident.detail),
    h(
      "p",
      { class: "muted" },
      "for ",
      age(incident.opened, now()),
      withNode && incident.node && [" · ", nodeLink(incident.node)],
      incident.region && ` · ${incident.region}`,
    ),
    incident.acknowledged && acknowledgement(incident.acknowledged),
    followers.length > 0 && collapsed(followers, followers.length === 1 ? "inhibited incident" : "inhibited incidents"),
    incidentButtons(incident),
  );
}

/// Rendered when opened: an isolated monitor may have a thousand of them.
function collapsed(followers, words) {
  const list = h("ol", { class: "incidents" });
  const draw = () => {
    if (!details.open || list.firstChild) return;
    list.append(...followers.slice(0, most).map((incident) => card(incident, [], true)));
    if (followers.length <= most) return;
    list.append(h("li", { class: "over muted" }, count(followers.length - most, "other", "others")));
  };
  const details = h("details", { ontoggle: draw }, h("summary", {}, `${followers.length} ${words}`), list);
  return details;
}

/// Describes what inhibits an incident: a silence with its reason, or another incident.
export function describeCause(key) {
  if (key.startsWith("silence/")) {
    const silence = fleet.silences.find(({ id }) => key === `silence/${id}`);
    return silence ? `Silenced by ${silence.by}: ${silence.reason}` : "Silenced";
  }
  return `Inhibited by ${fleet.incidents.find((incident) => incident.key === key)?.title ?? key}`;
}

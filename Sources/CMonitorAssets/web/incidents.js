// Open incidents: what is told stands in the list, what follows from it or was silenced is folded below.
import { incidentButtons } from "./actions.js";
import { h, keepingFocus } from "./dom.js";
import { fleet, now } from "./fleet.js";
import { age, count, moment, nodeLink, tag } from "./words.js";

/// More than a person looks through; the others are counted.
const most = 50;
const order = ["sev1", "sev2", "warning"];

/// Worst first, then those that nobody has acknowledged, then the newest.
const byUrgency = (left, right) =>
  order.indexOf(left.severity) - order.indexOf(right.severity) ||
  Boolean(left.acknowledged) - Boolean(right.acknowledged) ||
  right.id - left.id;

export const incidentLink = (incident) => h("a", { href: `#/incidents/${incident.id}` }, incident.title);

export const acknowledgement = ({ by, at, note }) =>
  h("p", { class: "muted", title: moment(at) }, `Acknowledged by ${by}${note ? `: ${note}` : ""}`);

/// Shows `incidents` in `list`. An item stays the same element until what it says changes.
export function showOpen(list, incidents, { nothing, withNode = true }) {
  const open = new Map(incidents.map((incident) => [incident.key, incident]));
  const below = new Map();
  const told = [];
  for (const incident of incidents) {
    const cause = firstCause(incident, open);
    if (!cause) told.push(incident);
    else if (cause.startsWith("silence/")) push(below, "silenced", incident);
    else if (open.has(cause)) push(below, cause, incident);
    else push(below, "elsewhere", incident);
  }
  told.sort(byUrgency);
  const items = told.slice(0, most).map((incident) => ({
    id: `incident-${incident.id}`,
    says: [incident, below.get(incident.key)],
    make: () => card(incident, below.get(incident.key) ?? [], withNode),
  }));
  if (told.length > most) items.push(line("more", `${count(told.length - most, "other", "others")}: see Incidents.`));
  for (const [key, words] of [["silenced", "silenced"], ["elsewhere", "with a cause elsewhere"]]) {
    const followers = below.get(key);
    if (!followers) continue;
    items.push({ id: key, says: followers, make: () => h("li", { class: "over" }, folded(followers, words)) });
  }
  if (incidents.length === 0) items.push(line("nothing", nothing));
  patch(list, items);
}

/// What hides an incident may follow from something else in turn.
function firstCause(incident, open) {
  let cause = incident.hiddenBy;
  for (let step = 0; step < open.size && open.get(cause)?.hiddenBy; step += 1) cause = open.get(cause).hiddenBy;
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
    const twin = focused.dataset.do ? `[data-do="${focused.dataset.do}"]` : focused.tagName;
    // What is over, or was folded away, leaves the focus to the first in the list.
    return item?.querySelector(twin) ?? (item ?? elements[0])?.querySelector("a");
  };
  keepingFocus(list, () => list.replaceChildren(...elements), again);
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
    followers.length > 0 && folded(followers, followers.length === 1 ? "follows from it" : "follow from it"),
    incidentButtons(incident),
  );
}

/// Drawn when it is opened: a cut-off hub may have a thousand of them.
function folded(followers, words) {
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

/// A silence's reason, or the incident that another follows from.
export function causeInWords(key) {
  if (key.startsWith("silence/")) {
    const silence = fleet.silences.find(({ id }) => key === `silence/${id}`);
    return silence ? `Silenced by ${silence.by}: ${silence.reason}` : "Silenced";
  }
  return `Follows from ${fleet.incidents.find((incident) => incident.key === key)?.title ?? key}`;
}

// What this page knows of the fleet, and who wants to hear of changes.
import { get } from "./api.js";
import { setText } from "./dom.js";
import { span } from "./words.js";

export const fleet = {
  nodes: new Map(),
  incidents: [],
  silences: [],
  leases: [],
  plans: [],
  doubtful: false,
  ills: [],
  isKnown: false,
};
const listeners = new Set();
/// The monitor's clock less ours: ages are by its clock.
let ahead = 0;

export const now = () => Date.now() + ahead;

/// `listener` gets `{nodes, gone, incidents, work}`: changed nodes, names of removed ones, and whether the others may
/// have changed.
export function onChange(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function tell(change) {
  for (const listener of listeners) listener({ nodes: [], gone: [], incidents: false, work: false, ...change });
}

function takeFleet(body) {
  ahead = body.now - Date.now();
  const gone = new Set(fleet.nodes.keys());
  for (const node of body.nodes) gone.delete(node.name);
  fleet.nodes = new Map(body.nodes.map((node) => [node.name, node]));
  fleet.incidents = body.incidents;
  fleet.silences = body.silences;
  fleet.leases = body.leases;
  fleet.plans = body.plans;
  fleet.doubtful = body.doubtful;
  fleet.ills = body.ills;
  tell({ nodes: body.nodes, gone: [...gone], incidents: true, work: true });
  fleet.isKnown = true;
}

export function takeNodes(nodes) {
  // The stream does not say when planned work begins or ends; that a node's state came from it or went to it does.
  const isWork = nodes.some((node) => {
    const before = fleet.nodes.get(node.name);
    return !before || (before.state === "maintenance") !== (node.state === "maintenance");
  });
  for (const node of nodes) fleet.nodes.set(node.name, node);
  tell({ nodes });
  if (isWork) refresh();
}

export function takeIncidents(incidents) {
  const known = new Set(fleet.silences.map(({ id }) => `silence/${id}`));
  const isSilenced = incidents.some(({ hiddenBy }) => hiddenBy?.startsWith("silence/") && !known.has(hiddenBy));
  fleet.incidents = incidents;
  tell({ incidents: true });
  if (isSilenced) refresh();
}

let asking;

/// Asks for everything again; what is asked meanwhile gets the same answer. A failure is the stream's to show.
export function refresh() {
  asking ??= get("/fleet")
    .then(takeFleet, () => {})
    .finally(() => (asking = undefined));
  return asking;
}

/// Makes the ages on the page true again.
export function tick() {
  for (const element of document.querySelectorAll("time[data-since]")) {
    setText(element, span(now() - Number(element.dataset.since)));
  }
}

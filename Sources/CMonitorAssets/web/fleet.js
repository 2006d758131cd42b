// The page's copy of the fleet's state, and its change listeners.
import { get } from "./api.js";
import { setText } from "./dom.js";
import { duration } from "./format.js";

export const fleet = {
  nodes: new Map(),
  incidents: [],
  silences: [],
  maintenanceWindows: [],
  plans: [],
  evaluationPaused: false,
  healthProblems: [],
  isKnown: false,
};
const listeners = new Set();
/// The monitor's clock minus the browser's; ages use the monitor's clock.
let ahead = 0;

export const now = () => Date.now() + ahead;

/// Calls `listener` with `{nodes, gone, incidents, work}`: changed nodes, names of removed ones, and whether incidents,
/// or silences and maintenance, may have changed.
export function onChange(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function notifyListeners(change) {
  for (const listener of listeners) listener({ nodes: [], gone: [], incidents: false, work: false, ...change });
}

function applyFleet(body) {
  ahead = body.now - Date.now();
  const gone = new Set(fleet.nodes.keys());
  for (const node of body.nodes) gone.delete(node.name);
  fleet.nodes = new Map(body.nodes.map((node) => [node.name, node]));
  fleet.incidents = body.incidents;
  fleet.silences = body.silences;
  fleet.maintenanceWindows = body.maintenanceWindows;
  fleet.plans = body.plans;
  fleet.evaluationPaused = body.evaluationPaused;
  fleet.healthProblems = body.healthProblems;
  notifyListeners({ nodes: body.nodes, gone: [...gone], incidents: true, work: true });
  fleet.isKnown = true;
}

export function applyNodes(nodes) {
  // The stream does not report maintenance windows, but the states of their nodes change.
  const isWork = nodes.some((node) => {
    const before = fleet.nodes.get(node.name);
    return !before || (before.state === "maintenance") !== (node.state === "maintenance");
  });
  for (const node of nodes) fleet.nodes.set(node.name, node);
  notifyListeners({ nodes });
  if (isWork) refresh();
}

export function applyIncidents(incidents) {
  const known = new Set(fleet.silences.map(({ id }) => `silence/${id}`));
  const isSilenced = incidents.some(({ inhibitedBy }) => inhibitedBy?.startsWith("silence/") && !known.has(inhibitedBy));
  fleet.incidents = incidents;
  notifyListeners({ incidents: true });
  if (isSilenced) refresh();
}

let asking;

/// Reloads everything; concurrent calls share a request. Failures are shown by the stream.
export function refresh() {
  asking ??= get("/fleet")
    .then(applyFleet, () => {})
    .finally(() => (asking = undefined));
  return asking;
}

/// Updates the ages on the page.
export function tick() {
  for (const element of document.querySelectorAll("time[data-since]")) {
    setText(element, duration(now() - Number(element.dataset.since)));
  }
}

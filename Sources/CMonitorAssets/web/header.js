// The header of every page: the fleet's state in one line, the connection state, and announcements.
import { byID, setText } from "./dom.js";
import { fleet } from "./fleet.js";
import { count, moment, severities, duration, whole } from "./format.js";

let nextTry;
let since;
let known;

export function show() {
  const active = fleet.incidents.filter((incident) => !incident.inhibitedBy);
  // Acknowledged incidents are being worked on: the line shows the others.
  const seen = active.filter(({ acknowledged }) => acknowledged);
  const [overall, level] = describe(active.filter(({ acknowledged }) => !acknowledged), seen.length);
  byID("overall").hidden = false;
  byID("overall").dataset.level = level;
  setText(byID("overall"), overall);
  byID("paused").hidden = !fleet.evaluationPaused;
  byID("health-problems").hidden = fleet.healthProblems.length === 0;
  setText(byID("health-problems"), `The monitor is unhealthy: ${fleet.healthProblems.join("; ")}.`);
  const bad = active.filter(({ severity, acknowledged }) => severity !== "warning" && !acknowledged);
  document.title = bad.length > 0 ? `(${bad.length}) Clavitor fleet` : "Clavitor fleet";
}

function describe(active, seen) {
  const parts = [];
  const of = (severity) => active.filter((incident) => incident.severity === severity).length;
  for (const severity of ["sev1", "sev2"]) if (of(severity)) parts.push(`${of(severity)} ${severities[severity]}`);
  if (of("warning")) parts.push(count(of("warning"), "warning", "warnings"));
  if (seen) parts.push(`${whole(seen)} acknowledged`);
  const all = fleet.nodes.size;
  const up = [...fleet.nodes.values()].filter(({ state }) => state === "up").length;
  const some = up === all ? `All ${whole(all)} nodes up` : `${whole(up)} of ${whole(all)} nodes up`;
  const nodes = all === 0 ? "No nodes yet" : some;
  const worst = ["sev1", "sev2", "warning"].find(of);
  return [[...parts, nodes].join(" · "), worst ?? (all > 0 && up === all && !fleet.evaluationPaused ? "up" : "unknown")];
}

/// Announces opened, raised and resolved incidents to screen readers.
export function announceChanges() {
  const active = fleet.incidents.filter(({ inhibitedBy }) => !inhibitedBy);
  const present = new Map(active.map((incident) => [incident.id, incident]));
  if (known) {
    const news = [];
    for (const { id, severity, title } of active) {
      if (known.get(id)?.severity !== severity) news.push(`${severities[severity]}: ${title}`);
    }
    const still = new Set(fleet.incidents.map(({ id }) => id));
    for (const incident of known.values()) if (!still.has(incident.id)) news.push(`Resolved: ${incident.title}`);
    // Many changes are summarized.
    const words = news.length > 5 ? `${whole(news.length)} changes of incidents` : news.join(". ");
    if (words) setText(byID("announcements"), words);
  }
  known = present;
}

export function showStream(isLive, next) {
  nextTry = isLive ? undefined : next;
  since = isLive ? undefined : (since ?? Date.now());
  byID("stream").hidden = false;
  byID("stream").dataset.live = isLive ? "yes" : "no";
  tick();
}

export function tick() {
  const isLate = since !== undefined && Date.now() - since > 5_000;
  byID("stale").hidden = !isLate;
  if (isLate) setText(byID("stale"), `No connection to the monitor since ${moment(since)}: this page is out of date.`);
  if (byID("stream").hidden) return;
  setText(byID("stream"), nextTry === undefined ? "Live" : `Not connected, next try in ${duration(nextTry - Date.now())}`);
}

/// "auto" follows the system; the others are fixed.
export function initializeTheme() {
  const themes = ["auto", "light", "dark"];
  const button = byID("theme");
  const set = (theme) => {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    button.textContent = `Theme: ${theme}`;
    if (theme === "auto") localStorage.removeItem("theme");
    else localStorage.setItem("theme", theme);
  };
  const present = () => localStorage.getItem("theme") ?? "auto";
  set(themes.includes(present()) ? present() : "auto");
  button.addEventListener("click", () => set(themes[(themes.indexOf(present()) + 1) % themes.length]));
}

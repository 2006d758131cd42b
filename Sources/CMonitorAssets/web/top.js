// The head of every page: how the fleet is in one line, whether this page is live, and what is new.
import { byID, setText } from "./dom.js";
import { fleet } from "./fleet.js";
import { count, moment, severities, span, whole } from "./words.js";

let nextTry;
let since;
let known;

export function show() {
  const told = fleet.incidents.filter((incident) => !incident.hiddenBy);
  // Somebody is at work on what was acknowledged: the line is about what nobody has seen yet.
  const seen = told.filter(({ acknowledged }) => acknowledged);
  const [overall, level] = inWords(told.filter(({ acknowledged }) => !acknowledged), seen.length);
  byID("overall").hidden = false;
  byID("overall").dataset.level = level;
  setText(byID("overall"), overall);
  byID("doubt").hidden = !fleet.doubtful;
  byID("ills").hidden = fleet.ills.length === 0;
  setText(byID("ills"), `The monitor itself is ill: ${fleet.ills.join("; ")}.`);
  const bad = told.filter(({ severity, acknowledged }) => severity !== "warning" && !acknowledged);
  document.title = bad.length > 0 ? `(${bad.length}) Clavitor fleet` : "Clavitor fleet";
}

function inWords(told, seen) {
  const parts = [];
  const of = (severity) => told.filter((incident) => incident.severity === severity).length;
  for (const severity of ["sev1", "sev2"]) if (of(severity)) parts.push(`${of(severity)} ${severities[severity]}`);
  if (of("warning")) parts.push(count(of("warning"), "warning", "warnings"));
  if (seen) parts.push(`${whole(seen)} acknowledged`);
  const all = fleet.nodes.size;
  const up = [...fleet.nodes.values()].filter(({ state }) => state === "up").length;
  const some = up === all ? `All ${whole(all)} nodes up` : `${whole(up)} of ${whole(all)} nodes up`;
  const nodes = all === 0 ? "No nodes yet" : some;
  const worst = ["sev1", "sev2", "warning"].find(of);
  return [[...parts, nodes].join(" · "), worst ?? (all > 0 && up === all && !fleet.doubtful ? "up" : "unknown")];
}

/// Says aloud what was opened, raised or resolved since the last time.
export function tellNews() {
  const told = fleet.incidents.filter(({ hiddenBy }) => !hiddenBy);
  const present = new Map(told.map((incident) => [incident.id, incident]));
  if (known) {
    const news = [];
    for (const { id, severity, title } of told) {
      if (known.get(id)?.severity !== severity) news.push(`${severities[severity]}: ${title}`);
    }
    const still = new Set(fleet.incidents.map(({ id }) => id));
    for (const incident of known.values()) if (!still.has(incident.id)) news.push(`Over: ${incident.title}`);
    // A whole storm read aloud helps nobody.
    const words = news.length > 5 ? `${whole(news.length)} changes of incidents` : news.join(". ");
    if (words) setText(byID("news"), words);
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
  if (isLate) setText(byID("stale"), `No news from the monitor since ${moment(since)}: what is shown here is old.`);
  if (byID("stream").hidden) return;
  setText(byID("stream"), nextTry === undefined ? "Live" : `Not connected, next try in ${span(nextTry - Date.now())}`);
}

/// Automatic follows the system; the others stay as chosen.
export function beginTheme() {
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

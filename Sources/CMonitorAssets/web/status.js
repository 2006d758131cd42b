// The public page: shows /api/v1/status, and reloads it each minute.

const words = {
  up: "All regions are up",
  degraded: "Some regions are impaired",
  down: "Not reachable",
  unknown: "Status unknown",
};
const regionWords = { up: "Up", degraded: "Partly impaired", down: "Not reachable", unknown: "Unknown" };
const levels = { up: "up", degraded: "warning", down: "sev1", unknown: "unknown" };
const clock = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long", hourCycle: "h23" });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" });
const byID = (id) => document.getElementById(id);

function element(tag, className, text) {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

function time(milliseconds) {
  const made = element("time", "", clock.format(milliseconds));
  made.dateTime = new Date(milliseconds).toISOString();
  return made;
}

function show(status) {
  const overall = byID("overall");
  overall.dataset.level = levels[status.state] ?? "unknown";
  overall.textContent = words[status.state] ?? words.unknown;
  byID("regions").replaceChildren(
    ...status.regions.map((region) => {
      const line = element("li", "", region.name);
      const state = element("span", "state", regionWords[region.state] ?? regionWords.unknown);
      state.dataset.level = levels[region.state] ?? "unknown";
      line.append(state);
      if (region.days) line.append(days(region.days, status.updated));
      return line;
    }),
  );
  if (status.regions.length === 0) byID("regions").append(element("li", "muted", "None yet."));
  byID("incidents").replaceChildren(
    ...status.incidents.map((incident) => {
      const line = element("li", "", incident.title);
      const since = element("span", "muted", "since ");
      since.append(time(incident.since));
      line.append(since);
      return line;
    }),
  );
  if (status.incidents.length === 0) byID("incidents").append(element("li", "muted", "None open."));
  byID("updated").replaceChildren("Updated ", time(status.updated));
}

/// One bar per day, oldest first, with a text summary for screen readers.
function days(minutes, now) {
  const strip = element("span", "days", "");
  strip.setAttribute("role", "img");
  const known = minutes.filter((count) => count !== null);
  const bad = known.filter((count) => count > 0);
  const lost = bad.reduce((sum, count) => sum + count, 0);
  const many = known.length > 1 ? ` on ${bad.length} of ${known.length} days` : "";
  const words = lost ? `impaired for ${duration(lost)}${many}` : "no impairment";
  const since = known.length > 1 ? `Last ${known.length} days` : "Today";
  strip.setAttribute("aria-label", `${since}: ${words}`);
  minutes.forEach((count, index) => {
    const bar = element("span", "", "");
    bar.dataset.level = count === null ? "unknown" : count === 0 ? "up" : count < 60 ? "warning" : "sev1";
    const date = day.format(now - (minutes.length - 1 - index) * 86_400_000);
    bar.title = `${date}: ${count === null ? "not monitored yet" : count === 0 ? "up" : `impaired for ${duration(count)}`}`;
    strip.append(bar);
  });
  const summary = element("span", "muted", `${since}: ${words}`);
  const both = element("span", "history", "");
  both.append(strip, summary);
  return both;
}

const duration = (minutes) => (minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`);

async function refresh() {
  try {
    const response = await fetch("/api/v1/status", { cache: "no-store", signal: AbortSignal.timeout(15_000) });
    if (!response.ok) throw new Error(`status ${response.status}`);
    show(await response.json());
  } catch {
    // The old content stays with its time; an unreachable monitor must not read as "up".
    byID("overall").dataset.level = "unknown";
    byID("overall").textContent = "Status unknown: the monitor does not respond";
  }
}

const theme = localStorage.getItem("theme");
if (theme) document.documentElement.dataset.theme = theme;
refresh();
setInterval(refresh, 60_000);

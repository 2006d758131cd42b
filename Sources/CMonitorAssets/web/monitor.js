// The dashboard's entry point: signs in, follows the event stream, and shows the page of the address.
import { onSignedOut, post, resume, signIn } from "./api.js";
import { submit } from "./dialog.js";
import { channelsPage } from "./channels.js";
import { byID, h } from "./dom.js";
import * as ages from "./fleet.js";
import { fleet, onChange, refresh, applyIncidents, applyNodes } from "./fleet.js";
import { historyPage, incidentPage } from "./incident.js";
import { showOpenIncidents } from "./incidents.js";
import * as map from "./map.js";
import { nodePage } from "./node.js";
import { follow } from "./stream.js";
import * as table from "./table.js";
import * as header from "./header.js";
import { maintenancePage } from "./maintenance.js";

const pages = [
  [/^#\/nodes\/([^/]+)$/, nodePage],
  [/^#\/incidents$/, historyPage],
  [/^#\/incidents\/(\d+)$/, incidentPage],
  [/^#\/maintenance$/, maintenancePage],
  [/^#\/channels$/, channelsPage],
];
/// Reload intervals, for changes that the stream does not report, such as evaluation pauses.
const [usually, whilePaused] = [60_000, 5_000];
let leave = [];
let isSignedIn = false;

// Notifications link to /incidents/ID, which is this page too.
if (location.pathname !== "/") history.replaceState(undefined, "", `/#${location.pathname}`);

/// Shows the page of the address. Each page gets `show` for its contents, `fail` for errors, and `onLeave` for
/// clean-up.
async function route(isFirst = false) {
  // Skip links are addresses too, within the current page.
  const isPage = location.hash.startsWith("#/");
  if (!isPage && location.hash && !isFirst) return;
  const hash = isPage ? location.hash : "#/";
  for (const end of leave) end();
  const mine = (leave = []);
  const [match, build] = pages.map(([pattern, build]) => [hash.match(pattern), build]).find(([match]) => match) ?? [];
  byID("fleet").hidden = Boolean(build);
  byID("page").hidden = !build;
  for (const link of document.querySelectorAll("#top nav a")) {
    const isHere = link.hash === "#/" ? !build : hash.startsWith(link.hash);
    if (isHere) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (!build) {
    byID("page").replaceChildren();
    if (!isFirst) byID("main").focus({ preventScroll: true });
    scrollTo(0, 0);
    return;
  }
  let isShown = false;
  const page = {
    show(title, ...contents) {
      // The user may have left the page meanwhile.
      if (leave !== mine) return;
      byID("page").replaceChildren(...contents.flat());
      if (isShown) return;
      isShown = true;
      scrollTo(0, 0);
      byID("page").querySelector("h1")?.focus({ preventScroll: true });
    },
    fail(error) {
      if (leave !== mine || error.status === 401) return;
      byID("page").querySelector(".failed")?.remove();
      byID("page").prepend(h("p", { class: "banner failed", role: "alert" }, error.message));
    },
    onLeave: (end) => mine.push(end),
  };
  byID("page").replaceChildren();
  try {
    await build(page, ...match.slice(1).map(decodeURIComponent));
  } catch (error) {
    page.fail(error);
  }
  // The page was left while loading: clean up now.
  if (leave !== mine) for (const end of mine) end();
}

function showChange(change) {
  if (change.nodes.length > 0 || change.gone.length > 0) {
    table.show(change.nodes, change.gone);
    map.show(change.nodes, change.gone);
    const names = byID("node-names");
    if (names.childElementCount !== fleet.nodes.size) {
      names.replaceChildren(...[...fleet.nodes.keys()].map((name) => h("option", { value: name })));
    }
  }
  if (change.incidents) {
    showOpenIncidents(byID("open-list"), fleet.incidents, {
      nothing: fleet.evaluationPaused ? "None open; evaluation is paused." : "No open incidents.",
    });
    header.announceChanges();
  }
  header.show();
}

function take(event, data) {
  if (event === "nodes") applyNodes(data);
  else if (event === "incidents") applyIncidents(data);
}

function enter() {
  isSignedIn = true;
  byID("sign-in").hidden = true;
  byID("sign-out").hidden = false;
  document.querySelector("#top nav").hidden = false;
  route(true);
  follow(take, (isLive, nextTry) => {
    header.showStream(isLive, nextTry);
    // Reload what changed while disconnected.
    if (isLive) refresh();
  });
  setInterval(() => (document.hidden ? undefined : refresh()), usually);
  setInterval(() => (fleet.evaluationPaused ? refresh() : undefined), whilePaused);
}

async function begin() {
  header.initializeTheme();
  table.begin();
  map.begin();
  onChange(showChange);
  onSignedOut(() => {
    // Signed-out pages keep no fleet data.
    if (isSignedIn) location.reload();
  });
  byID("sign-in").addEventListener("submit", async (event) => {
    event.preventDefault();
    const form = event.target;
    const code = byID("code");
    const isIn = await submit(form, async ({ name, code: digits }) => {
      try {
        await signIn(name, form.elements.password.value, digits);
      } catch (error) {
        // Requested only when the account has a second factor.
        if (error.code !== "code-needed") throw error;
        code.hidden = code.disabled = false;
        form.elements.code.focus();
        throw new Error("Your account requires a code, too.");
      }
    });
    if (!isIn) return;
    form.reset();
    code.hidden = code.disabled = true;
    await refresh();
    enter();
  });
  byID("sign-out").addEventListener("click", async () => {
    await post("/logout", {}).catch(() => {});
    location.assign("/");
  });
  addEventListener("hashchange", () => isSignedIn && route());
  addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("input, select, textarea") || byID("fleet").hidden || byID("dialog").open) return;
    event.preventDefault();
    byID("filter").focus();
  });
  setInterval(() => {
    ages.tick();
    table.tick();
    header.tick();
  }, 1_000);
  // Both requests at once: the page waits for the second.
  const asked = refresh();
  try {
    await resume();
    await asked;
    enter();
  } catch (error) {
    byID("sign-in").hidden = false;
    if (error.status !== 401) byID("sign-in").querySelector(".wrong").textContent = error.message;
    byID("sign-in").elements.name.focus();
  }
}

begin();

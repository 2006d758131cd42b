// The dashboard's beginning: signs in, follows the stream, and shows the page that the address names.
import { onSignedOut, post, resume, signIn } from "./api.js";
import { submit } from "./ask.js";
import { channelsPage } from "./channels.js";
import { byID, h } from "./dom.js";
import * as ages from "./fleet.js";
import { fleet, onChange, refresh, takeIncidents, takeNodes } from "./fleet.js";
import { historyPage, incidentPage } from "./incident.js";
import { showOpen } from "./incidents.js";
import * as map from "./map.js";
import { nodePage } from "./node.js";
import { follow } from "./stream.js";
import * as table from "./table.js";
import * as top from "./top.js";
import { workPage } from "./work.js";

const pages = [
  [/^#\/nodes\/([^/]+)$/, nodePage],
  [/^#\/incidents$/, historyPage],
  [/^#\/incidents\/(\d+)$/, incidentPage],
  [/^#\/work$/, workPage],
  [/^#\/channels$/, channelsPage],
];
/// How often everything is asked for again: for what the stream does not tell, such as the monitor's doubt of itself.
const [usually, inDoubt] = [60_000, 5_000];
let leave = [];
let isSignedIn = false;

// Notifications link to /incidents/ID, which is this page too.
if (location.pathname !== "/") history.replaceState(undefined, "", `/#${location.pathname}`);

/// Shows what the address names. Each page gets `show` for its contents, `fail` for what went wrong on the way, and
/// `whenLeft` for what has to end with it.
async function route(isFirst = false) {
  // The ways past the navigation are addresses too, within the page that is shown.
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
      // Somebody may have gone on while this was asked for.
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
    whenLeft: (end) => mine.push(end),
  };
  byID("page").replaceChildren();
  try {
    await build(page, ...match.slice(1).map(decodeURIComponent));
  } catch (error) {
    page.fail(error);
  }
  // Left while it was being built: what it wanted ended has to end now.
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
    showOpen(byID("open-list"), fleet.incidents, {
      nothing: fleet.doubtful ? "None open; nobody is judged at present." : "Nothing is wrong.",
    });
    top.tellNews();
  }
  top.show();
}

function take(event, data) {
  if (event === "nodes") takeNodes(data);
  else if (event === "incidents") takeIncidents(data);
}

function enter() {
  isSignedIn = true;
  byID("sign-in").hidden = true;
  byID("sign-out").hidden = false;
  document.querySelector("#top nav").hidden = false;
  route(true);
  follow(take, (isLive, nextTry) => {
    top.showStream(isLive, nextTry);
    // What happened while nobody told us.
    if (isLive) refresh();
  });
  setInterval(() => (document.hidden ? undefined : refresh()), usually);
  setInterval(() => (fleet.doubtful ? refresh() : undefined), inDoubt);
}

async function begin() {
  top.beginTheme();
  table.begin();
  map.begin();
  onChange(showChange);
  onSignedOut(() => {
    // Nothing of the fleet stays on a page that nobody is signed in to.
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
        // Asked for once somebody is known to have one.
        if (error.code !== "code-needed") throw error;
        code.hidden = code.disabled = false;
        form.elements.code.focus();
        throw new Error("Your account asks for a code, too.");
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
    if (event.target.matches("input, select, textarea") || byID("fleet").hidden || byID("ask").open) return;
    event.preventDefault();
    byID("filter").focus();
  });
  setInterval(() => {
    ages.tick();
    table.tick();
    top.tick();
  }, 1_000);
  // Both at once: the second is what everybody waits for.
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

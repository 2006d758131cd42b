// The page of notification channels: statistics, and a test button for each.
import { get, post } from "./api.js";
import { button } from "./actions.js";
import { h } from "./dom.js";
import { duration, whole } from "./format.js";

export async function channelsPage(page) {
  const list = h("ul", { class: "incidents" });
  const about = h("p", { class: "muted" }, "A test sends an incident and its resolution to each recipient.");
  const said = new Map();
  async function load() {
    const { channels } = await get("/channels");
    list.replaceChildren(...channels.map((channel) => item(channel, said.get(channel.name))));
    about.hidden = channels.length === 0;
    if (channels.length === 0) list.append(h("li", { class: "over muted" }, "None, so no notifications are sent. Configure channels in the file of clavitor-monitor serve --config."));
  }
  async function test(name) {
    said.set(name, h("p", { role: "status" }, "Sending…"));
    await load();
    try {
      const { outcomes } = await post(`/channels/${encodeURIComponent(name)}/test`, {});
      said.set(name, h("div", { role: "status" }, outcomes.map(outcome)));
    } catch (error) {
      said.set(name, h("p", { class: "wrong", role: "alert" }, error.message));
    }
    await load();
  }
  const item = (channel, answer) =>
    h(
      "li",
      { "data-severity": channel.failing > 0 ? "sev2" : undefined, class: channel.failing > 0 ? undefined : "over" },
      h("p", {}, h("b", {}, channel.name), " ", h("span", { class: "muted" }, figures(channel))),
      channel.lastError && h("p", {}, channel.lastError),
      answer,
      h("p", { class: "buttons" }, button("test", "Send a test", channel.name, () => test(channel.name).catch(page.fail))),
    );
  await load();
  page.show(
    "Channels",
    h("header", {}, h("h1", { tabindex: "-1" }, "Channels")),
    h(
      "section",
      { class: "panel" },
      about,
      list,
    ),
  );
  const again = setInterval(() => load().catch(page.fail), 30_000);
  page.onLeave(() => clearInterval(again));
}

const outcome = ({ line, error }) =>
  error ? h("p", { class: "wrong" }, `${line}: ${error}`) : h("p", { "data-level": "up" }, `${line}: accepted`);

function figures({ delivered, waiting, failing }) {
  const words = [`${whole(delivered)} delivered since the monitor's start`];
  if (waiting) words.push(`${whole(waiting)} waiting`);
  if (failing) words.push(`failing for ${duration(failing * 1_000)}`);
  return words.join(" · ");
}

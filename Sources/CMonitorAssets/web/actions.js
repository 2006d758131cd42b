// What people do about incidents and nodes. Each asks first, and shows the fleet as it is afterwards.
import { post, remove } from "./api.js";
import { ask, field, minutes, reason } from "./ask.js";
import { h } from "./dom.js";
import { fleet, refresh } from "./fleet.js";
import { rules } from "./words.js";

/// What only a human can end; everything else ends when what is wrong ends.
const acceptable = ["audit-chain", "restored"];

/// The buttons that fit an incident. `data-do` names each, so that the focus finds it again when they are drawn anew.
export function incidentButtons(incident) {
  if (incident.resolved) return undefined;
  return h(
    "p",
    { class: "buttons" },
    !incident.acknowledged && button("acknowledge", "Acknowledge", incident.title, () => acknowledge(incident)),
    acceptable.includes(incident.rule) && button("accept", "Accept", incident.title, () => accept(incident)),
    incident.node &&
      !incident.hiddenBy?.startsWith("silence/") &&
      button("silence", "Silence", incident.title, () => silence(incident)),
  );
}

/// `about` is for those who do not see what stands beside it.
export function button(name, words, about, act) {
  const rest = about && h("span", { class: "unseen" }, `: ${about}`);
  return h("button", { type: "button", "data-do": name, onclick: act }, words, rest);
}

const thenRefresh = (act) => async (answer) => {
  await act(answer);
  await refresh();
};

function acknowledge({ id, title }) {
  ask({
    title: "Acknowledge",
    text: `${title}. Nobody is reminded of it from now on.`,
    fields: [field({ name: "note", label: "Note (may be empty)", maxlength: 1_000 })],
    send: "Acknowledge",
    act: thenRefresh(({ note }) => post(`/incidents/${id}/acknowledge`, note ? { note } : {})),
  });
}

function accept({ id, rule, title }) {
  ask({
    title: "Accept",
    text:
      rule === "audit-chain"
        ? `${title}. Accept it only when you know why: from then on the chain as it is now counts as the true one.`
        : `${title}. Accept it when that was meant to be.`,
    send: "Accept",
    act: thenRefresh(() => post(`/incidents/${id}/accept`, {})),
  });
}

const ruleField = (chosen) =>
  field({
    name: "rule",
    label: "Of what",
    value: chosen ?? "",
    options: [
      ["", "everything"],
      ...Object.entries(rules),
      ...(chosen && !(chosen in rules) ? [[chosen, chosen]] : []),
    ],
  });

export function silence({ node, rule } = {}) {
  ask({
    title: "Silence",
    text: "What is silenced is shown here all the same, and told to nobody.",
    fields: [
      field({ name: "node", label: "Node (empty: any)", value: node ?? "", list: "node-names" }),
      ruleField(rule),
      minutes,
      reason,
    ],
    send: "Silence",
    act: thenRefresh((answer) => {
      if (answer.node && !fleet.nodes.has(answer.node)) throw new Error(`There is no node ${answer.node}.`);
      return post("/silences", { ...answer, node: answer.node || undefined, rule: answer.rule || undefined });
    }),
  });
}

export function planWork(name) {
  ask({
    title: `Planned work on ${name}`,
    text: "Nothing new is raised about it until this ends, which it does by itself.",
    fields: [minutes, reason],
    send: "Begin",
    act: thenRefresh((answer) => post("/maintenance", { ...answer, nodes: [name] })),
  });
}

export function endSilence({ id, reason }) {
  ask({
    title: "End the silence",
    text: reason,
    send: "End it",
    act: thenRefresh(() => remove(`/silences/${id}`)),
  });
}

export function removePlan({ id, reason }) {
  ask({
    title: "Remove the plan",
    text: `${reason}. Nothing of it begins any more; what has begun ends as it would have.`,
    send: "Remove it",
    act: thenRefresh(() => remove(`/plans/${id}`)),
  });
}

export function endWork({ id, reason }) {
  ask({
    title: "End the planned work",
    text: `${reason}. Its nodes are judged again from now on.`,
    send: "End it",
    act: thenRefresh(() => remove(`/maintenance/${id}`)),
  });
}

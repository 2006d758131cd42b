// Operator actions on incidents and nodes. Each opens a dialog, and reloads the fleet afterwards.
import { post, remove } from "./api.js";
import { ask, field, minutes, reason } from "./dialog.js";
import { h } from "./dom.js";
import { fleet, refresh } from "./fleet.js";
import { rules } from "./format.js";

/// Rules whose incidents only an operator can resolve; all others resolve when their condition clears.
const acceptable = ["audit-chain", "heartbeat-key", "restored"];

/// The buttons of an incident. `data-do` names each one, so that the focus can be restored when they are redrawn.
export function incidentButtons(incident) {
  if (incident.resolved) return undefined;
  return h(
    "p",
    { class: "buttons" },
    !incident.acknowledged && button("acknowledge", "Acknowledge", incident.title, () => acknowledge(incident)),
    acceptable.includes(incident.rule) && button("accept", "Accept", incident.title, () => accept(incident)),
    incident.node &&
      !incident.inhibitedBy?.startsWith("silence/") &&
      button("silence", "Silence", incident.title, () => silence(incident)),
  );
}

/// `about` names the subject for screen readers.
export function button(name, words, about, act) {
  const rest = about && h("span", { class: "unseen" }, `: ${about}`);
  return h("button", { type: "button", "data-do": name, onclick: act }, words, rest);
}

const refreshAfter = (act) => async (answer) => {
  await act(answer);
  await refresh();
};

function acknowledge({ id, title }) {
  ask({
    title: "Acknowledge",
    text: `${title}. No further reminders are sent.`,
    fields: [field({ name: "note", label: "Note (may be empty)", maxlength: 1_000 })],
    send: "Acknowledge",
    act: refreshAfter(({ note }) => post(`/incidents/${id}/acknowledge`, note ? { note } : {})),
  });
}

function accept({ id, rule, title }) {
  ask({
    title: "Accept",
    text:
      rule === "audit-chain"
        ? `${title}. Accept it only when you know the reason: the present chain becomes the reference.`
        : `${title}. Accept it if the restore was intended.`,
    send: "Accept",
    act: refreshAfter(() => post(`/incidents/${id}/accept`, {})),
  });
}

const ruleField = (chosen) =>
  field({
    name: "rule",
    label: "Rule",
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
    text: "Silenced incidents are shown here, but not notified.",
    fields: [
      field({ name: "node", label: "Node (empty: any)", value: node ?? "", list: "node-names" }),
      ruleField(rule),
      minutes,
      reason,
    ],
    send: "Silence",
    act: refreshAfter((answer) => {
      if (answer.node && !fleet.nodes.has(answer.node)) throw new Error(`There is no node ${answer.node}.`);
      return post("/silences", { ...answer, node: answer.node || undefined, rule: answer.rule || undefined });
    }),
  });
}

export function beginMaintenance(name) {
  ask({
    title: `Maintenance of ${name}`,
    text: "No incidents are opened for it until the maintenance ends, which happens automatically.",
    fields: [minutes, reason],
    send: "Begin",
    act: refreshAfter((answer) => post("/maintenance", { ...answer, nodes: [name] })),
  });
}

export function endSilence({ id, reason }) {
  ask({
    title: "End silence",
    text: reason,
    send: "End it",
    act: refreshAfter(() => remove(`/silences/${id}`)),
  });
}

export function removePlan({ id, reason }) {
  ask({
    title: "Remove plan",
    text: `${reason}. It does not start again; a maintenance that has started ends as scheduled.`,
    send: "Remove it",
    act: refreshAfter(() => remove(`/plans/${id}`)),
  });
}

export function endMaintenance({ id, reason }) {
  ask({
    title: "End maintenance",
    text: `${reason}. Its nodes are evaluated again from now on.`,
    send: "End it",
    act: refreshAfter(() => remove(`/maintenance/${id}`)),
  });
}

// Formats values, times and states. All times are Unix milliseconds, all durations milliseconds.
import { h } from "./dom.js";

export const states = {
  up: "Up",
  late: "Late",
  silent: "Silent",
  stopped: "Stopped",
  maintenance: "Maintenance",
  never: "Never seen",
};
export const severities = { sev1: "SEV1", sev2: "SEV2", warning: "Warning" };
export const rules = {
  silent: "no heartbeats",
  flapping: "flapping",
  "audit-chain": "audit chain changed",
  "audit-unproven": "audit chain not proven",
  "heartbeat-key": "heartbeats that it did not sign",
  restored: "restored from a backup",
  replayed: "replayed heartbeats",
  audit: "audit log does not verify",
  database: "database damaged",
  disk: "disk filling up",
  "read-only": "read-only",
  certificate: "certificate not renewed",
  memory: "memory short",
  errors: "many errors",
  clock: "clock off",
  backup: "no recent backup",
  drift: "version differs from the fleet",
  ill: "unhealthy",
  down: "reports that it is down",
  "cut-off": "monitor isolated, or all nodes down",
  channel: "a channel accepts nothing",
  "own-disk": "the monitor's disk filling up",
  "own-file": "the monitor cannot write its database file",
  "own-certificate": "the monitor's certificate not renewed",
};

const ranks = ["sev1", "sev2", "warning", "silent", "late", "stopped", "never", "maintenance", "up"];

/// A node's status, sorted by `rank`: its highest open severity, or else its state.
export function standing(node) {
  const kind = node.worst ?? node.state;
  const word = states[node.state] ?? node.state;
  return {
    kind,
    rank: ranks.indexOf(kind),
    level: node.worst ?? (node.state === "up" ? "up" : "unknown"),
    text: node.worst ? `${word}, ${severities[node.worst]}` : word,
  };
}

export function count(number, one, many) {
  return `${whole(number)} ${number === 1 ? one : many}`;
}

const wholes = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat(undefined, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const isNumber = (value) => typeof value === "number";

/// Formats an integer; an en dash when there is no value, since "0" would be one.
export const whole = (value) => (isNumber(value) ? wholes.format(value) : "–");
export const tenth = (value) => (isNumber(value) ? tenths.format(value) : "–");
export const figure = (value, unit) => `${value < 100 ? tenth(value) : whole(value)} ${unit}`;

const units = [
  [86_400_000, "d", 3_600_000, "h"],
  [3_600_000, "h", 60_000, "min"],
  [60_000, "min"],
];

/// "45 s", "12 min", "3 h 20 min", "2 d 4 h".
export function duration(milliseconds) {
  const length = Math.max(0, milliseconds);
  for (const [size, unit, smaller, smallerUnit] of units) {
    if (length < size) continue;
    const rest = smaller ? Math.floor((length % size) / smaller) : 0;
    return `${Math.floor(length / size)} ${unit}${rest ? ` ${rest} ${smallerUnit}` : ""}`;
  }
  return `${Math.floor(length / 1000)} s`;
}

const moments = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium", hourCycle: "h23" });
export const moment = (at) => moments.format(at);

/// The zone of all displayed times, such as "UTC" or "GMT+9", for teams in several zones.
export const zone = new Intl.DateTimeFormat(undefined, { timeZoneName: "short" })
  .formatToParts()
  .find(({ type }) => type === "timeZoneName").value;

export const time = (at) => h("time", { datetime: new Date(at).toISOString() }, moment(at));

/// An age, updated by `tick` in fleet.js.
export const age = (at, now) =>
  h("time", { datetime: new Date(at).toISOString(), "data-since": at, title: moment(at) }, duration(now - at));

export const tag = (severity) => h("span", { class: "tag", "data-level": severity }, severities[severity] ?? severity);

export const nodeLink = (name) => h("a", { href: `#/nodes/${encodeURIComponent(name)}` }, name);

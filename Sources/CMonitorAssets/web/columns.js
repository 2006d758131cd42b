// The columns of the node table: value, text and sort key of each.
import { now } from "./fleet.js";
import { duration, standing, tenth, whole } from "./format.js";

/// Remaining share of the lifetime: a renewal is due with a third left, so a quarter means that it failed.
const lateRenewal = 0.25;

export const certificateShare = ({ cert_days_remaining: left, cert_lifetime_days: all } = {}) =>
  left === undefined ? undefined : Math.min(1, Math.max(0, left / Math.max(all ?? 90, 0.01)));

const body = (name, text) => ({ value: (node) => node.body?.[name], text: (node) => text(node.body?.[name]) });
const number = { isNumber: true };

/// `width` in rem; `minor` columns are hidden on phones; `isHighlighted` marks critical values.
export const columns = [
  { key: "name", title: "Name", width: 9, value: (node) => node.name, text: (node) => node.name },
  { key: "state", title: "State", width: 9, value: (node) => standing(node).rank, text: (node) => standing(node).text },
  {
    key: "beat",
    title: "Heartbeat",
    width: 5.6,
    ...number,
    value: (node) => node.lastBeat,
    text: (node) => (node.lastBeat === undefined ? "–" : duration(now() - node.lastBeat)),
    isHighlighted: (node) => node.state === "silent" || node.state === "late",
  },
  { key: "city", title: "City", width: 7, minor: true, value: (node) => node.city, text: (node) => node.city ?? "–" },
  {
    key: "region",
    title: "Region",
    width: 6.5,
    minor: true,
    value: (node) => node.region,
    text: (node) => node.region ?? "–",
  },
  { key: "cpu", title: "CPU %", width: 4.2, ...number, ...body("cpu_pct", tenth) },
  {
    key: "ram",
    title: "RAM %",
    width: 4.4,
    ...number,
    ...body("ram_pct", tenth),
    isHighlighted: (node) => node.body?.ram_pct >= 90,
  },
  {
    key: "disk",
    title: "Disk %",
    width: 4.4,
    ...number,
    ...body("disk_pct", tenth),
    isHighlighted: (node) => node.body?.disk_pct >= 85,
  },
  {
    key: "certificate",
    title: "Cert. days",
    width: 7.4,
    ...number,
    ...body("cert_days_remaining", whole),
    gauge: (node) => certificateShare(node.body),
    isHighlighted: (node) => certificateShare(node.body) <= lateRenewal,
  },
  { key: "requests", title: "Req. 1 h", width: 5.2, ...number, ...body("req_1h", whole) },
  { key: "errors", title: "Err. 1 h", width: 4.8, ...number, ...body("err_1h", whole) },
  { key: "p99", title: "p99 ms", width: 4.8, ...number, ...body("p99_ms", tenth) },
  { key: "version", title: "Version", width: 6, minor: true, ...body("version", (version) => version ?? "–") },
];

/// Sorts missing values last in both directions, and equal values by name.
export function comparison(column, descending) {
  const direction = descending ? -1 : 1;
  return (left, right) => {
    const [a, b] = [column.value(left), column.value(right)];
    if (a !== b) {
      if (a === undefined) return 1;
      if (b === undefined) return -1;
      return (a < b ? -1 : 1) * direction;
    }
    return left.name < right.name ? -1 : left.name > right.name ? 1 : 0;
  };
}

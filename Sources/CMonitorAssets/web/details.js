// All values of a node's last heartbeat, with units.
import { certificateShare } from "./columns.js";
import { h } from "./dom.js";
import { now } from "./fleet.js";
import { age, figure, moment, duration, tenth, time, whole } from "./format.js";

const day = 86_400_000;
const percent = (value) => figure(value, "%");
const both = (size, share) => `${figure(size, "MB")} (${percent(share)})`;

/// Names and values by subject. Values that an older node does not send are omitted.
function subjects(node) {
  const body = node.body ?? {};
  const ifPresent = (value, show) => (value === undefined ? undefined : show(value));
  return [
    [
      "Service",
      ["Last heartbeat", ifPresent(node.lastBeat, (at) => age(at, now()))],
      ["Ping", ifPresent(node.ping, (value) => figure(value, "ms"))],
      ["Requests, last hour", ifPresent(body.req_1h, whole)],
      ["Errors, last hour", ifPresent(body.err_1h, whole)],
      ["Server errors, last hour", ifPresent(body.err_5xx_1h, whole)],
      ["p99", ifPresent(body.p99_ms, (value) => figure(value, "ms"))],
      ["Connections", ifPresent(body.conns, whole)],
      ["Sessions", ifPresent(body.active_sessions, whole)],
    ],
    [
      "Machine",
      ["CPU", ifPresent(body.cpu_pct, percent)],
      ["Load, 1 min", ifPresent(body.load_1m, tenth)],
      ["RAM", ifPresent(body.ram_mb, (size) => both(size, body.ram_pct))],
      ["Node process", ifPresent(body.rss_mb, (size) => figure(size, "MB"))],
      ["Swap", ifPresent(body.swap_mb, (size) => figure(size, "MB"))],
      ["Disk", ifPresent(body.disk_mb, (size) => both(size, body.disk_pct))],
      ["Waiting for memory", ifPresent(body.psi_memory, percent)],
      ["Waiting for the disk", ifPresent(body.psi_io, percent)],
      ["Uptime", ifPresent(body.uptime_s, (seconds) => duration(seconds * 1_000))],
    ],
    [
      "Data",
      ["Database", ifPresent(body.db_size_mb, (size) => figure(size, "MB"))],
      ["Database check", body.db_integrity],
      ["Read-only", ifPresent(body.read_only, yesOrNo)],
      ["Last backup", ifPresent(body.last_backup_age_s, (seconds) => age(node.lastBeat - seconds * 1_000, now()))],
      ["Audit log", ifPresent(body.audit_seq, (lines) => `${whole(lines)} lines, epoch ${body.audit_epoch ?? 0}`)],
      ["Audit log verifies", ifPresent(body.audit_ok, yesOrNo)],
      ["Audit head", body.audit_head],
    ],
    [
      "Program",
      ["Version", body.version],
      ["Generation", ifPresent(body.nix_gen, (number) => (number === 0 ? "none" : String(number)))],
      ["Phase", body.phase],
      ["Heartbeat", ifPresent(body.seq, (number) => `${whole(number)} of boot ${body.boot_id ?? "–"}`)],
      ["Undelivered heartbeats", ifPresent(body.beats_dropped, whole)],
      [node.skew < 0 ? "Clock is behind by" : "Clock is ahead by", `${whole(Math.abs(node.skew))} ms`],
      ["as measured by the node", ifPresent(body.clock_offset_ms, (value) => `${whole(value)} ms`)],
      ["Node time", ifPresent(body.ts, (seconds) => time(seconds * 1_000))],
    ],
  ];
}

const yesOrNo = (value) => (value ? "yes" : "no");

export function figures(node) {
  return h(
    "section",
    { class: "panel" },
    h("h2", {}, "Values of the last heartbeat"),
    certificate(node),
    h(
      "div",
      { class: "subjects" },
      subjects(node).map(([title, ...facts]) =>
        h(
          "div",
          {},
          h("h3", {}, title),
          h(
            "dl",
            { class: "figures" },
            facts
              .filter(([, value]) => value !== undefined)
              .map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
          ),
        ),
      ),
    ),
  );
}

/// The certificate countdown, continued from the last heartbeat.
function certificate({ body, lastBeat }) {
  const days = body?.cert_days_remaining;
  if (days === undefined) {
    return h("p", {}, "Certificate: ", body?.cert_error ?? "expiry unknown.");
  }
  const end = lastBeat + days * day;
  const bar = h("span", { class: "gauge", "aria-hidden": "true" }, h("span"));
  bar.firstChild.style.width = `${100 * certificateShare(body)}%`;
  const lifetime = body.cert_lifetime_days;
  return h(
    "p",
    { class: "countdown" },
    "Certificate: ",
    h("b", {}, end > now() ? `expires in ${duration(end - now())}` : `expired ${duration(now() - end)} ago`),
    lifetime !== undefined && ` of ${duration(lifetime * day)}`,
    bar,
    h("span", { class: "muted" }, ` ${moment(end)}`),
    body.cert_error && h("span", { "data-level": "warning" }, ` ${body.cert_error}`),
  );
}

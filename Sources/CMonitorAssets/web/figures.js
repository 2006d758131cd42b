// Everything that a node's last beat says, with units.
import { certificateShare } from "./columns.js";
import { h } from "./dom.js";
import { now } from "./fleet.js";
import { age, figure, moment, span, tenth, time, whole } from "./words.js";

const day = 86_400_000;
const percent = (value) => figure(value, "%");
const both = (size, share) => `${figure(size, "MB")} (${percent(share)})`;

/// Pairs of a name and what to show, by subject. What an older node does not send is left out.
function subjects(node) {
  const body = node.body ?? {};
  const ifThere = (value, show) => (value === undefined ? undefined : show(value));
  return [
    [
      "Service",
      ["Last beat", ifThere(node.lastBeat, (at) => age(at, now()))],
      ["Ping", ifThere(node.ping, (value) => figure(value, "ms"))],
      ["Requests, last hour", ifThere(body.req_1h, whole)],
      ["Errors, last hour", ifThere(body.err_1h, whole)],
      ["Errors from 500 on", ifThere(body.err_5xx_1h, whole)],
      ["p99", ifThere(body.p99_ms, (value) => figure(value, "ms"))],
      ["Connections", ifThere(body.conns, whole)],
      ["Sessions", ifThere(body.active_sessions, whole)],
    ],
    [
      "Machine",
      ["CPU", ifThere(body.cpu_pct, percent)],
      ["Load, 1 min", ifThere(body.load_1m, tenth)],
      ["RAM", ifThere(body.ram_mb, (size) => both(size, body.ram_pct))],
      ["of the program", ifThere(body.rss_mb, (size) => figure(size, "MB"))],
      ["Swap", ifThere(body.swap_mb, (size) => figure(size, "MB"))],
      ["Disk", ifThere(body.disk_mb, (size) => both(size, body.disk_pct))],
      ["Waiting for memory", ifThere(body.psi_memory, percent)],
      ["Waiting for the disk", ifThere(body.psi_io, percent)],
      ["Up for", ifThere(body.uptime_s, (seconds) => span(seconds * 1_000))],
    ],
    [
      "Data",
      ["Database", ifThere(body.db_size_mb, (size) => figure(size, "MB"))],
      ["Database check", body.db_integrity],
      ["Read-only", ifThere(body.read_only, yesOrNo)],
      ["Last backup", ifThere(body.last_backup_age_s, (seconds) => age(node.lastBeat - seconds * 1_000, now()))],
      ["Audit log", ifThere(body.audit_seq, (lines) => `${whole(lines)} lines, epoch ${body.audit_epoch ?? 0}`)],
      ["Audit log verifies", ifThere(body.audit_ok, yesOrNo)],
      ["Audit head", body.audit_head],
    ],
    [
      "Program",
      ["Version", body.version],
      ["Generation", ifThere(body.nix_gen, (number) => (number === 0 ? "none" : String(number)))],
      ["Phase", body.phase],
      ["Beat", ifThere(body.seq, (number) => `${whole(number)} of start ${body.boot_id ?? "–"}`)],
      ["Beats not delivered", ifThere(body.beats_dropped, whole)],
      [node.skew < 0 ? "Clock is behind by" : "Clock is ahead by", `${whole(Math.abs(node.skew))} ms`],
      ["and as the node sees it", ifThere(body.clock_offset_ms, (value) => `${whole(value)} ms`)],
      ["Its time at that beat", ifThere(body.ts, (seconds) => time(seconds * 1_000))],
    ],
  ];
}

const yesOrNo = (value) => (value ? "yes" : "no");

export function figures(node) {
  return h(
    "section",
    { class: "panel" },
    h("h2", {}, "Figures of the last beat"),
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

/// Counts down by itself: the days are of the last beat.
function certificate({ body, lastBeat }) {
  const days = body?.cert_days_remaining;
  if (days === undefined) {
    return h("p", {}, "Certificate: ", body?.cert_error ?? "nothing known of its end.");
  }
  const end = lastBeat + days * day;
  const bar = h("span", { class: "gauge", "aria-hidden": "true" }, h("span"));
  bar.firstChild.style.width = `${100 * certificateShare(body)}%`;
  const lifetime = body.cert_lifetime_days;
  return h(
    "p",
    { class: "countdown" },
    "Certificate: ",
    h("b", {}, end > now() ? `ends in ${span(end - now())}` : `ended ${span(now() - end)} ago`),
    lifetime !== undefined && ` of ${span(lifetime * day)}`,
    bar,
    h("span", { class: "muted" }, ` ${moment(end)}`),
    body.cert_error && h("span", { "data-level": "warning" }, ` ${body.cert_error}`),
  );
}

"""What runs inside the pages: measurements, and histories that a young fleet has not got."""

# Runs before the page's own scripts: when a page was first painted, and when it had all of its rows.
PAINT = """
addEventListener("DOMContentLoaded", () => {
  const rows = document.querySelector("#table tbody");
  if (!rows) return;
  new MutationObserver((_, observer) => {
    if (rows.rows.length < %d) return;
    observer.disconnect();
    requestAnimationFrame(() => setTimeout(() => (window.allRowsAt = performance.now())));
  }).observe(rows, { childList: true });
});
"""
# Texts in sight whose contrast with what lies behind is below WCAG's 4.5 (AA).
CONTRAST = """
const light = (color) => {
  const [r, g, b] = color.match(/[\\d.]+/g).slice(0, 3).map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ground = (e) => {
  for (; e; e = e.parentElement) {
    const color = getComputedStyle(e).backgroundColor;
    if (!/^rgba.*, 0\\)$/.test(color)) return color;
  }
  return "rgb(255, 255, 255)";
};
const bad = new Set();
for (const e of document.querySelectorAll("body *:not(svg *)")) {
  if (![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())) continue;
  if (!e.checkVisibility() || e.closest(":disabled")) continue;
  const [a, b] = [light(getComputedStyle(e).color), light(ground(e))].sort((x, y) => y - x);
  const ratio = (a + 0.05) / (b + 0.05);
  if (ratio < 4.5) bad.add(`${e.textContent.trim().slice(0, 30)} ${ratio.toFixed(2)}`);
}
return [...bad].slice(0, 5);
"""
# A history of three stretches, the second of them a single point.
GAPS = """
const values = Array.from({ length: 720 }, (_, i) => (i < 100 || i === 200 || i > 300 ? i % 7 : null));
const series = new Proxy({}, { get: () => values, ownKeys: () => [] });
window.trueFetch = window.fetch;
window.fetch = async (path, options) => {
  if (!path.includes("/history?")) return trueFetch(path, options);
  return { ok: true, json: async () => ({ from: Date.now() - 720 * 3.6e6, step: 3.6e6, beats: values, series }) };
};
"""
ASKED = """
window.asked = [];
window.trueFetch = window.fetch;
window.fetch = (path, options) => (asked.push(path), trueFetch(path, options));
"""

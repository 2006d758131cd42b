// Creates elements without parsing text as markup: names, titles and notes are untrusted.

export const byID = (id) => document.getElementById(id);

/// Creates an element. Attributes that are undefined, null or false are omitted; `on…` are listeners.
export const h = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);

export const svg = (tag, attributes, ...children) =>
  fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== undefined && child !== null && child !== false));
  return element;
}

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/// Runs `change`, which may replace the focused element, and restores the focus to the same or an equivalent element.
export function preservingFocus(inside, change, like = (focused) => focused) {
  const focused = inside.contains(document.activeElement) ? document.activeElement : undefined;
  change();
  if (focused && document.activeElement !== focused) like(focused)?.focus({ preventScroll: true });
}

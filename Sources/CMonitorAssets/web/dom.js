// Elements, made without ever reading text as markup: names, titles and notes come from outside.

export const byID = (id) => document.getElementById(id);

/// `attributes`: those that are undefined, null or false are left out; `on…` are listeners.
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

/// Does `change`, which may take the element with the focus out of the document and put the same or its like back in.
export function keepingFocus(inside, change, like = (focused) => focused) {
  const focused = inside.contains(document.activeElement) ? document.activeElement : undefined;
  change();
  if (focused && document.activeElement !== focused) like(focused)?.focus({ preventScroll: true });
}

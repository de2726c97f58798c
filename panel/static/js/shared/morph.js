// Makes a part of the page like a newer one, and leaves alone what is the same: the focus, what is
// scrolled, and running times stay.

/** A part's HTML without what differs every time: a form's token and key, and running seconds. */
export const bare = (part) =>
  part.outerHTML.replace(/(name="(?:csrf_token|form_key)" value=)"[^"]*"|(<(?:time|span)[^>]* data-timer[^>]*>)[^<]*/g, "$1$2");

const keyOf = (node) => node.id || node.dataset?.key;

/** Makes the element `old` like `fresh`, its children by their id or data-key, else by their place. */
export function morph(old, fresh) {
  attributes(old, fresh);
  // Its text is the clock's; the server's is only as of the moment it was asked.
  if (fresh.dataset.timer && old.textContent) return;
  const keyed = new Map([...old.children].filter(keyOf).map((node) => [keyOf(node), node]));
  let place = old.firstChild;
  for (const wanted of [...fresh.childNodes]) {
    const same = find(wanted, place, keyed);
    if (same === place) place = place?.nextSibling ?? null;
    if (!same) {
      old.insertBefore(wanted, place);
    } else {
      if (same.nextSibling !== place) old.insertBefore(same, place);
      if (same.nodeType === Node.ELEMENT_NODE) morph(same, wanted);
      else if (same.data !== wanted.data) same.data = wanted.data;
    }
  }
  while (place) {
    const gone = place;
    place = place.nextSibling;
    gone.remove();
  }
}

/** The node that stands for `wanted` already, or undefined. */
function find(wanted, place, keyed) {
  const key = wanted.nodeType === Node.ELEMENT_NODE && keyOf(wanted);
  if (key) {
    const known = keyed.get(key);
    keyed.delete(key);
    return known?.nodeName === wanted.nodeName ? known : undefined;
  }
  const alike = place?.nodeName === wanted.nodeName && !(place.nodeType === Node.ELEMENT_NODE && keyOf(place));
  return alike ? place : undefined;
}

function attributes(old, fresh) {
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  }
  for (const { name, value } of [...fresh.attributes]) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
}

// What every behaviour needs of the page: its texts, the announcer, toasts, the server's clock.

const texts = document.getElementById("texts");
const TOAST_SECONDS = 8;

/** The id of whose page this is; the server wants to know, for somebody else may be logged in by now. */
export const viewer = texts?.dataset.viewer ?? "";

/** A text of the page in the user's language; {name} in it is replaced by values.name. */
export function text(name, values = {}) {
  const found = texts?.dataset[name] ?? "";
  return found.replace(/\{(\w+)\}/g, (_all, key) => values[key] ?? "");
}

/** Says something to screen readers only. */
export function announce(message) {
  const announcer = document.getElementById("announcer");
  if (!announcer) return;
  // The same words again are told again only if they differ.
  announcer.textContent = announcer.textContent === message ? `${message}\u00a0` : message;
}

/** A short message at the edge of the page; it goes by itself, or when it is clicked. It is told to
    those who do not see it, too: of what went wrong at once. */
export function toast(message, kind = "bad") {
  const place = document.getElementById("toasts");
  if (!place || !message) return;
  const note = document.createElement("p");
  note.className = `toast toast--${kind}`;
  if (kind === "bad") note.setAttribute("role", "alert");
  else announce(message);
  note.textContent = message;
  note.addEventListener("click", () => note.remove());
  place.append(note);
  setTimeout(() => note.remove(), TOAST_SECONDS * 1000);
}

export function emit(name, detail = {}) {
  document.dispatchEvent(new CustomEvent(`trichter:${name}`, { detail }));
}

export const calm = matchMedia("(prefers-reduced-motion: reduce)");

/** Elements of a fragment, not yet in the page. */
export function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content;
}

const running = new Map();

/** Runs work now; what is asked meanwhile for the same key runs afterwards, only the last of it. So
    an older answer never comes after a newer one, and a burst of news costs few requests. */
export async function latest(key, work) {
  if (running.has(key)) {
    running.set(key, work);
    return;
  }
  try {
    for (let next = work; next; next = running.get(key)) {
      running.set(key, null);
      await next();
    }
  } finally {
    running.delete(key);
  }
}

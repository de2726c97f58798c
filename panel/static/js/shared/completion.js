// What a stage asks to be filled in before a deal enters it: the server answers a move with a form, and
// its entries finish the move.

import { Failure, post } from "./http.js";
import { parse, text } from "./page.js";

const dialog = document.getElementById("completion");
const popups = document.getElementById("popups");
let give = null;

const isForm = (response) =>
  response.status === 422 && response.headers.get("Content-Type")?.startsWith("text/html");

/** The HTML that a request comes to in the end; null if the person thought better of it. Raises
    Failure. */
export async function completed(url, values) {
  let response = await post(url, values);
  try {
    while (isForm(response)) {
      const entries = await asked(await response.text());
      if (!entries) return null;
      response = await post(url, entries);
    }
  } finally {
    close();
  }
  const html = await response.text();
  if (response.ok) return html;
  const isPlain = response.headers.get("Content-Type")?.startsWith("text/plain");
  throw new Failure(response.status, (isPlain && html) || text("failed"));
}

/** Shows the form until it is sent: its entries, or null. One form at a time. */
function asked(html) {
  give?.(null);
  dialog.replaceChildren(parse(html));
  if (!dialog.matches(":popover-open")) dialog.showPopover();
  // Whoever rings meanwhile is seen above the form.
  popups?.hidePopover();
  popups?.showPopover();
  const first = dialog.querySelector("[aria-invalid]") ?? dialog.querySelector("[autofocus]");
  (first ?? dialog.querySelector("input:not([type=hidden]), select, textarea"))?.focus();
  return new Promise((resolve) => {
    give = (entries) => {
      give = null;
      resolve(entries);
    };
  });
}

function close() {
  give = null;
  if (dialog?.matches(":popover-open")) dialog.hidePopover();
}

function sent(event) {
  event.preventDefault();
  // A second press must not send it twice.
  event.target.querySelector("button:not([type])").disabled = true;
  give?.(new FormData(event.target));
}

function cancelled(event) {
  if (!event.target.closest("[data-cancel]")) return;
  event.preventDefault();
  give?.(null);
}

/** Tab goes round in the form: behind it there is nothing to do as long as it is open. */
function pressed(event) {
  if (event.key === "Escape") {
    event.stopPropagation();
    give?.(null);
  }
  if (event.key !== "Tab") return;
  const all = [...dialog.querySelectorAll("input:not([type=hidden]), select, textarea, button, a")];
  const end = event.shiftKey ? all[0] : all.at(-1);
  if (event.target !== end) return;
  event.preventDefault();
  (event.shiftKey ? all.at(-1) : all[0]).focus();
}

function outside({ target }) {
  if (give && !dialog.contains(target) && !popups?.contains(target)) give(null);
}

if (dialog) {
  dialog.addEventListener("submit", sent);
  dialog.addEventListener("click", cancelled);
  dialog.addEventListener("keydown", pressed);
  document.addEventListener("pointerdown", outside, true);
}

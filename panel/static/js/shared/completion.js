// What a stage asks to be filled in before a deal enters it: the server answers a move with a form, and
// its entries finish the move.

import { Failure, post } from "./http.js";
import { parse, text } from "./page.js";
import { hasTyped } from "./typed.js";

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
    while (response && isForm(response)) response = await answered(url, await response.text());
  } finally {
    close();
  }
  if (!response) return null;
  const html = await response.text();
  if (response.ok) return html;
  const isPlain = response.headers.get("Content-Type")?.startsWith("text/plain");
  throw new Failure(response.status, (isPlain && html) || text("failed"));
}

/** The response to the form's entries, or null. Without a connection they stay, for another try. */
async function answered(url, html) {
  show(html);
  for (;;) {
    const entries = await sentOnes();
    if (!entries) return null;
    try {
      const response = await post(url, entries);
      if (response.status < 500 && response.status !== 401) return response;
      say(text("failed"));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      say(error.message);
    }
  }
}

function say(sentence) {
  const form = dialog.querySelector("form");
  form.querySelector(":scope > .problem")?.remove();
  const problem = document.createElement("p");
  problem.className = "problem";
  problem.setAttribute("role", "alert");
  problem.textContent = sentence;
  form.querySelector(".fields").before(problem);
  form.querySelector("button:not([type])").disabled = false;
}

/** One form at a time. */
function show(html) {
  give?.(null);
  dialog.replaceChildren(parse(html));
  if (!dialog.matches(":popover-open")) dialog.showPopover();
  // Whoever rings meanwhile is seen above the form.
  popups?.hidePopover();
  popups?.showPopover();
  const first = dialog.querySelector("[aria-invalid]") ?? dialog.querySelector("[autofocus]");
  (first ?? dialog.querySelector("input:not([type=hidden]), select, textarea"))?.focus();
}

/** What was entered, when the form is sent; null when it is cancelled. */
function sentOnes() {
  return new Promise((resolve) => {
    give = (entries) => {
      give = null;
      resolve(entries);
    };
  });
}

function close() {
  give = null;
  if (!dialog?.matches(":popover-open")) return;
  dialog.hidePopover();
  popups?.hidePopover();
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

/** A press beside it closes it, unless something was written. */
function outside({ target }) {
  if (give && !dialog.contains(target) && !popups?.contains(target) && !hasTyped(dialog)) give(null);
}

if (dialog) {
  dialog.addEventListener("submit", sent);
  dialog.addEventListener("click", cancelled);
  dialog.addEventListener("keydown", pressed);
  document.addEventListener("pointerdown", outside, true);
}

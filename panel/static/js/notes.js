// What is being written is kept while the page changes or is left (fields with data-draft), until it
// is saved; Ctrl+Enter saves a note.

import { bind } from "./shared/keys.js";
import { viewer } from "./shared/page.js";

const PREFIX = "trichter.draft.";
const WHOSE = "trichter.viewer";
const keyOf = (field) => PREFIX + field.dataset.draft;

function restore() {
  for (const field of document.querySelectorAll("[data-draft]")) {
    const kept = sessionStorage.getItem(keyOf(field));
    if (kept && field.value === field.defaultValue) field.value = kept;
    // What was written is not to be folded away.
    if (kept && field.closest("details.pop__fold")) field.closest("details").open = true;
    grow(field);
  }
}

/** As high as its text, up to a third of the window. */
function grow(field) {
  if (!field.matches("textarea") || CSS.supports("field-sizing", "content") || !field.value) return;
  field.style.height = "auto";
  field.style.height = `${Math.min(field.scrollHeight + 2, innerHeight / 3)}px`;
}

document.addEventListener("input", ({ target }) => {
  if (!target.matches?.("[data-draft]")) return;
  if (target.value) sessionStorage.setItem(keyOf(target), target.value);
  else sessionStorage.removeItem(keyOf(target));
  grow(target);
});
document.addEventListener("trichter:saved", ({ target }) => {
  for (const field of target.querySelectorAll?.("[data-draft]") ?? []) {
    sessionStorage.removeItem(keyOf(field));
    field.style.height = "";
  }
});
// In the card of a call, too, which may be shown on any page.
bind("save", ({ target }) => target.form.requestSubmit(), { on: "form[data-save] textarea" });
// Who logs in next in this window has drafts of their own.
document.addEventListener("submit", ({ target }) => target.matches('[action$="/logout"]') && sessionStorage.clear());
document.addEventListener("trichter:shown", restore);
if ((sessionStorage.getItem(WHOSE) ?? viewer) !== viewer) sessionStorage.clear();
sessionStorage.setItem(WHOSE, viewer);
restore();

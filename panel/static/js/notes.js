// What is being written is kept while the page changes or is left (fields with data-draft), until it
// is saved; Ctrl+Enter saves.

const PREFIX = "trichter.draft.";
const keyOf = (field) => PREFIX + field.dataset.draft;

function restore() {
  for (const field of document.querySelectorAll("textarea[data-draft]")) {
    const kept = sessionStorage.getItem(keyOf(field));
    if (kept && !field.value) field.value = kept;
    grow(field);
  }
}

/** As high as its text, up to a third of the window. */
function grow(field) {
  if (CSS.supports("field-sizing", "content") || !field.value) return;
  field.style.height = "auto";
  field.style.height = `${Math.min(field.scrollHeight + 2, innerHeight / 3)}px`;
}

document.addEventListener("input", ({ target }) => {
  if (!target.matches?.("textarea[data-draft]")) return;
  if (target.value) sessionStorage.setItem(keyOf(target), target.value);
  else sessionStorage.removeItem(keyOf(target));
  grow(target);
});
document.addEventListener("trichter:saved", ({ target }) => {
  for (const field of target.querySelectorAll?.("textarea[data-draft]") ?? []) {
    sessionStorage.removeItem(keyOf(field));
    field.style.height = "";
  }
});
document.addEventListener("keydown", (event) => {
  const { target } = event;
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || !target.matches?.("form[data-save] textarea")) return;
  event.preventDefault();
  target.form.requestSubmit();
});
// Who logs in next in this window has drafts of their own.
document.addEventListener("submit", ({ target }) => target.matches('[action$="/logout"]') && sessionStorage.clear());
document.addEventListener("trichter:shown", restore);
restore();

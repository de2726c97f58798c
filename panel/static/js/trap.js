// Tab goes round in an open dialog that floats above the page: behind it there is nothing to do.

const FIELDS = "a[href], button:not(:disabled), input:not([type=hidden], :disabled), select, textarea, summary";

document.addEventListener("keydown", (event) => {
  const dialog = event.key === "Tab" && event.target.closest?.("dialog[popover]");
  if (!dialog || event.defaultPrevented) return;
  const all = [...dialog.querySelectorAll(FIELDS)].filter((part) => part.checkVisibility());
  const [from, to] = event.shiftKey ? [all[0], all.at(-1)] : [all.at(-1), all[0]];
  if (event.target !== from) return;
  event.preventDefault();
  to.focus();
});

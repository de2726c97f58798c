// '?' tells what can be done with keys on this page.

import { Failure, fragment } from "./shared/http.js";
import { bind, holding } from "./shared/keys.js";
import { parse, toast } from "./shared/page.js";

const link = document.querySelector("[data-help]");
const dialog = document.getElementById("help");
const list = dialog?.querySelector("[data-help-list]");

async function show() {
  try {
    const lines = parse(await fragment(link.href));
    const names = holding();
    for (const line of lines.querySelectorAll("[data-shortcut]")) {
      if (!names.has(line.dataset.shortcut)) line.remove();
    }
    for (const group of lines.querySelectorAll("[data-keys-group]")) {
      if (!group.querySelector("[data-shortcut]")) group.remove();
    }
    list.replaceChildren(lines);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    toast(error.message);
    return;
  }
  if (!dialog.open) dialog.showModal();
}

if (link && dialog) {
  bind("help", () => void show());
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    document.getElementById("me-menu").hidePopover();
    show();
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("[data-help-close]")) dialog.close();
  });
  // A call comes first: behind a dialog it could be seen, but not used.
  document.addEventListener("trichter:popups", () => {
    if (document.querySelector('.pop[data-state="rings"]')) dialog.close();
  });
}

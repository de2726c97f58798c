// Lists that submit their form when something is chosen. By keyboard the arrows change the value step
// by step, so there the button stays, and says when.

import { isChanged } from "./shared/typed.js";

function prepare(list) {
  const button = list.form.querySelector("[data-submit-button]");
  let byPointer = true;
  // Who has chosen before this script was there still needs it.
  if (button) button.hidden = !isChanged(list);
  list.addEventListener("pointerdown", () => {
    byPointer = true;
  });
  list.addEventListener("keydown", ({ key }) => {
    if (key === "Tab" || key === "Shift") return;
    byPointer = !button;
    if (button) button.hidden = false;
  });
  list.addEventListener("change", () => {
    if (byPointer) list.form.requestSubmit();
  });
}

function prepareAll() {
  for (const list of document.querySelectorAll("select[data-submit-on-change]:not([data-ready])")) {
    list.dataset.ready = "";
    prepare(list);
  }
}

document.addEventListener("trichter:renewed", prepareAll);
prepareAll();

// Lists that submit their form when something is chosen. By keyboard the arrows change the value step
// by step, so there the button stays, and says when.

function prepare(list) {
  const button = list.form.querySelector("[data-submit-button]");
  let byPointer = true;
  if (button) button.hidden = true;
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

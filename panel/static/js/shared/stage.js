// A deal is moved by the list of stages on its page or in a pop-up: what the stage asks for is asked
// right there, and the move can be taken back.

import { completed } from "./completion.js";
import { send } from "./http.js";
import { announce, emit, text } from "./page.js";
import { offer } from "./undo.js";

/** The name of a stage, as the lists of the page have it. */
function nameOf(stage) {
  const option = document.querySelector(`select[name="stage"] > option[value="${Number(stage)}"]`);
  return option?.textContent.trim() ?? "";
}

/** Sends a form with the fields from and stage, and data-deal-name. False: the person thought better
    of it. Raises Failure. */
export async function moveBy(form) {
  const values = new FormData(form);
  const [was, now] = [nameOf(values.get("from")), nameOf(values.get("stage"))];
  const deal = form.dataset.dealName;
  const look = () => emit("deal", { deal: Number(form.action.split("/").at(-2)), kind: "look" });
  if ((await completed(form.action, values)) === null) return false;
  // What was chosen is where it stands now; also for the next move.
  for (const option of form.querySelectorAll("option")) option.defaultSelected = option.selected;
  form.elements.from.value = values.get("stage");
  announce(text("moved", { deal, stage: now }));
  look();
  offer(text("moved", { deal, stage: now }), async () => {
    await send(form.action.replace(/moves$/, "undo"), {});
    look();
    return text("undone", { deal, stage: was });
  });
  return true;
}

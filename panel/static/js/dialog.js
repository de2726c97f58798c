// The form of a new deal, in the board's dialog or on its page: sent without leaving what is written;
// problems are shown beside their fields.

import { Failure, post } from "./shared/http.js";
import { emit, parse, text } from "./shared/page.js";
import { forget } from "./shared/undo.js";

const dialog = document.getElementById("new-deal");
const form = (dialog ?? document).querySelector("form[data-new-deal]");
const popups = document.getElementById("popups");
let popupWasPressed = false;

async function create(event) {
  event.preventDefault();
  const button = form.querySelector("button:not([type])");
  button.disabled = true;
  try {
    const response = await post(form.action, new FormData(form));
    if (response.status === 204) created(response.headers.get("HX-Redirect"));
    else if (response.status === 422) showProblems(parse(await response.text()));
    else showProblem(response.status === 401 ? text("loggedOut") : text("failed"));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    showProblem(error.message);
  } finally {
    button.disabled = false;
  }
}

function created(address) {
  form.reset();
  if (!dialog) {
    location.assign(address);
    return;
  }
  forget();
  showProblems(null);
  dialog.hidePopover();
  emit("deal", { deal: Number(address.split("/").pop()), kind: "deal.created" });
}

/** Takes over the fields of the server's answer, with what is wrong beside them. */
function showProblems(answer) {
  const fields = answer?.querySelector(".fields");
  if (fields) form.querySelector(".fields").replaceWith(fields);
  else form.querySelectorAll(".field__problem").forEach((problem) => problem.remove());
  showProblem(answer?.querySelector(".form > .problem")?.textContent);
  form.querySelector("[aria-invalid]")?.focus();
}

/** What is wrong with the whole of it; a toast would lie behind the dialog. */
function showProblem(sentence) {
  form.querySelector(":scope > .problem")?.remove();
  if (!sentence) return;
  const problem = document.createElement("p");
  problem.className = "problem";
  problem.setAttribute("role", "alert");
  problem.textContent = sentence;
  form.querySelector(".fields").before(problem);
}

/** Whoever rings meanwhile is seen above the dialog, not dimmed behind it. */
function raisePopups() {
  popups.hidePopover();
  if (dialog.matches(":popover-open")) popups.showPopover();
}

/** A press outside closes the dialog, and so did this one; nobody meant that. */
function dismissed({ target }) {
  const closed = popupWasPressed && !dialog.matches(":popover-open");
  popupWasPressed = false;
  if (closed && target.closest("[data-dismiss]")) dialog.showPopover();
}

if (form && popups) {
  form.addEventListener("submit", create);
}
if (dialog && popups) {
  dialog.addEventListener("toggle", raisePopups);
  popups.addEventListener("pointerdown", () => (popupWasPressed = dialog.matches(":popover-open")));
  popups.addEventListener("click", dismissed);
}

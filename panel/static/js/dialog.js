// The 'New deal' dialog: sent without leaving the board, problems are shown beside their fields.

import { post } from "./shared/http.js";
import { emit, parse, text, toast } from "./shared/page.js";

const dialog = document.getElementById("new-deal");
const form = dialog?.querySelector("form");

async function create(event) {
  event.preventDefault();
  const button = form.querySelector("button:not([type])");
  button.disabled = true;
  try {
    const response = await post(form.action, new FormData(form));
    if (response.status === 204) created(response.headers.get("HX-Redirect"));
    else if (response.status === 422) showProblems(parse(await response.text()));
    else toast(text("failed"));
  } catch (error) {
    toast(error.message);
  } finally {
    button.disabled = false;
  }
}

function created(address) {
  form.reset();
  showProblems(null);
  dialog.hidePopover();
  emit("deal", { deal: Number(address.split("/").pop()), kind: "deal.created" });
}

/** Takes over the fields of the server's answer, with what is wrong beside them. */
function showProblems(answer) {
  const fields = answer?.querySelector(".fields");
  if (fields) form.querySelector(".fields").replaceWith(fields);
  else form.querySelectorAll(".field__problem").forEach((problem) => problem.remove());
  form.querySelector(":scope > .problem")?.remove();
  const problem = answer?.querySelector(".form > .problem");
  if (problem) form.querySelector(".fields").before(problem);
  form.querySelector("[aria-invalid]")?.focus();
}

form?.addEventListener("submit", create);

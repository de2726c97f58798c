// What is done in a pop-up besides writing: the deal is moved, or one is made of the call. The page
// below it stays.

import { Failure, post } from "./shared/http.js";
import { parse, text, toast } from "./shared/page.js";
import { moveBy } from "./shared/stage.js";
import { hasTyped } from "./shared/typed.js";
import { forget } from "./shared/undo.js";

const stack = document.getElementById("popups");

function say(form, sentence) {
  const problem = form.querySelector(".field__problem");
  problem.textContent = sentence;
  problem.hidden = !sentence;
}

const tell = (form) => form.dispatchEvent(new CustomEvent("trichter:saved", { bubbles: true }));

async function move(form) {
  if (await moveBy(form)) moved(form);
  else form.reset();
}

function moved(form) {
  if (form.contains(document.activeElement)) form.closest(".pop").focus();
  tell(form);
}

/** The new deal is opened, unless something else is being written on this page. */
async function create(form) {
  const response = await post(form.action, new FormData(form));
  if (response.status !== 204) throw new Failure(response.status, await wrong(response));
  forget();
  form.reset();
  tell(form);
  const address = response.headers.get("HX-Redirect");
  if (hasTyped()) toast(text("created"), "note");
  else location.assign(address);
}

/** What the answer says of the fields: it is a whole form, of which a pop-up has only two. */
async function wrong(response) {
  const answer = await response.text();
  if (response.headers.get("Content-Type")?.startsWith("text/plain")) return answer;
  const said = [...parse(answer).querySelectorAll(".problem, .field__problem")];
  return said.map((one) => one.textContent.trim()).join(" ") || text("failed");
}

async function submitted(event) {
  const form = event.target.closest("form[data-pop-move], form[data-pop-deal]");
  if (!form) return;
  event.preventDefault();
  if (form.dataset.busy !== undefined) return;
  form.dataset.busy = "";
  say(form, "");
  try {
    await ("popMove" in form.dataset ? move(form) : create(form));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if ("popMove" in form.dataset) form.reset();
    say(form, error.message);
    if (error.status === 409) tell(form);
  } finally {
    delete form.dataset.busy;
  }
}

stack?.addEventListener("submit", submitted);
stack?.addEventListener("change", ({ target }) => {
  if (target.matches("[data-pop-move] select")) target.form.requestSubmit();
});

// Forms that are saved without leaving the page: fields that are changed in their place, notes, what
// a pop-up asks. What could not be saved stays in its field, with the reason below.

import { Failure, fragment, post, send } from "./shared/http.js";
import { announce, emit, parse, text, toast } from "./shared/page.js";
import { forget, offer } from "./shared/undo.js";

const waysOf = (form) => form.closest("details[data-edit]");

function opened(ways) {
  for (const other of document.querySelectorAll("details[data-edit][open]")) {
    if (other !== ways && !isChanged(other)) shut(other);
  }
  ways.querySelector("[data-cancel]")?.removeAttribute("hidden");
  const field = ways.querySelector("input:not([type=hidden]), textarea");
  field?.focus();
  if (field?.matches("input")) field.select();
}

const isChanged = (ways) =>
  [...ways.querySelectorAll("input:not([type=hidden]), textarea")].some((one) => one.value !== one.defaultValue);

function shut(ways) {
  const hadFocus = ways.contains(document.activeElement);
  for (const form of ways.querySelectorAll("form")) {
    form.reset();
    say(form, "");
  }
  ways.open = false;
  if (hadFocus) ways.querySelector("summary").focus();
}

function say(form, sentence) {
  const problem = form.querySelector(".field__problem");
  if (!problem) {
    toast(sentence);
    return;
  }
  problem.hidden = !sentence;
  problem.textContent = sentence;
  const field = form.querySelector("input:not([type=hidden]), textarea");
  if (sentence) field?.setAttribute("aria-invalid", "true");
  else field?.removeAttribute("aria-invalid");
}

/** Somebody was faster: the next try knows what they wrote, and is meant. */
async function lookAgain(form) {
  const id = waysOf(form)?.querySelector("summary").id;
  const html = id && (await fragment(location.href).catch(() => ""));
  const fresh = html && parse(html).getElementById(id)?.closest("details");
  for (const seen of fresh ? fresh.querySelectorAll('input[name^="seen_"]') : []) {
    const mine = form.elements.namedItem(seen.name);
    if (mine) mine.value = seen.value;
  }
}

async function save(event) {
  const form = event.target.closest("form[data-save]");
  if (!form || event.defaultPrevented) return;
  event.preventDefault();
  if (form.dataset.busy !== undefined) return;
  if (form.dataset.confirm && !confirm(form.dataset.confirm)) return;
  form.dataset.busy = "";
  try {
    const response = await post(form.action, new FormData(form, event.submitter));
    if (!response.ok) throw new Failure(response.status, await sentence(response));
    const html = await response.text();
    saved(form);
    offerBack(html);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    say(form, error.message);
    if (error.status === 409) await lookAgain(form);
  } finally {
    delete form.dataset.busy;
  }
}

/** The answer may tell of a way back. */
function offerBack(html) {
  const way = parse(html).querySelector("[data-undo-url]");
  if (!way) {
    forget();
    return;
  }
  const { undoUrl, undone } = way.dataset;
  offer(way.textContent, async () => {
    await send(undoUrl, {});
    emit("look");
    return undone;
  });
}

async function sentence(response) {
  const plain = response.headers.get("Content-Type")?.startsWith("text/plain");
  return (plain && (await response.text())) || text("failed");
}

/** What was chosen is what is there now; also for the next choice, which must not be another's. */
function keepChosen(form) {
  for (const list of form.querySelectorAll("select")) {
    for (const option of list.options) option.defaultSelected = option.selected;
    const seen = form.elements.namedItem(`seen_${list.name}`);
    if (seen) seen.value = list.value;
  }
}

function saved(form) {
  say(form, "");
  announce(text("saved"));
  keepChosen(form);
  form.reset();
  const ways = waysOf(form);
  if (ways) shut(ways);
  else if (!("keep" in form.dataset)) (form.closest(".pop") ?? document.activeElement).focus?.();
  form.dispatchEvent(new CustomEvent("trichter:saved", { bubbles: true }));
  emit("look");
}

document.addEventListener("submit", save);
// `toggle` does not bubble.
document.addEventListener("toggle", ({ target }) => target.matches?.("details[data-edit][open]") && opened(target), true);
document.addEventListener("click", ({ target }) => {
  const ways = target.closest("[data-cancel]")?.closest("details[data-edit]");
  if (ways) shut(ways);
  const value = target.closest(".edit__value");
  if (value && !getSelection().toString()) value.parentNode.querySelector("details[data-edit]").open = true;
});
document.addEventListener("keydown", (event) => {
  const ways = event.key === "Escape" && event.target.closest?.("details[data-edit][open]");
  if (!ways) return;
  event.preventDefault();
  shut(ways);
});

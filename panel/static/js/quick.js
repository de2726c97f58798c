// One line and Enter make a deal in a column; the line stays for the next one.

import { cardOf, glide, listOf, nameOf, place } from "./shared/cards.js";
import { completed } from "./shared/completion.js";
import { Failure, fragment } from "./shared/http.js";
import { announce, emit, parse, toast } from "./shared/page.js";
import { viewed, words } from "./shared/texts.js";
import { forget } from "./shared/undo.js";

const dialog = document.getElementById("completion");
let wasAsked = false;

async function enter(event) {
  const form = event.target.closest("[data-quick]");
  if (!form) return;
  event.preventDefault();
  const line = form.elements.title;
  if (!line.value.trim()) return;
  // Enter twice makes one deal; what was written meanwhile is the next one.
  if (form.dataset.sending) form.dataset.sending = "again";
  if (form.dataset.sending) return;
  form.dataset.sending = "once";
  wasAsked = false;
  try {
    const isMade = await make(form, line.value);
    if (wasAsked) line.focus({ preventScroll: true });
    if (!isMade || form.dataset.sending === "once" || !line.value.trim()) return;
  } finally {
    delete form.dataset.sending;
  }
  form.requestSubmit();
}

/** Watches what is written into the line while its text is on its way. `only` is true as long as
    something was added behind that text: then the rest is the next one, else all of it is. */
function additions(line, sent) {
  const state = { only: true, end: () => stop.abort() };
  const stop = new AbortController();
  const { signal } = stop;
  // Written over a choice, the same beginning would not show that it is another text.
  line.addEventListener("beforeinput", () => (state.only &&= line.selectionStart >= sent.length), { signal });
  line.addEventListener("input", () => (state.only &&= line.value.startsWith(sent)), { signal });
  return state;
}

/** False: whoever thought better of it, or had no luck, keeps the line. */
async function make(form, title) {
  const line = form.elements.title;
  const added = additions(line, title);
  try {
    // The stage may ask for more: then a form does.
    const html = await completed(viewed(form.action), new FormData(form));
    if (html === null) return false;
    if (added.only) line.value = line.value.slice(title.length);
    forget();
    show(parse(html).querySelector(".card"));
    return true;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    // What was written over is nowhere else any more.
    toast(added.only ? error.message : `${title}: ${error.message}`);
    return false;
  } finally {
    added.end();
  }
}

/** The filters may not show it: then it is said, so that nobody enters it again. */
async function show(card) {
  const name = { deal: nameOf(card) };
  emit("heads");
  document.querySelector(".welcome--bar")?.remove();
  try {
    await fragment(viewed(`/deals/${card.dataset.deal}/card`));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (error.status === 404) toast(words("elsewhere", name), "note");
    return;
  }
  const list = listOf(card.dataset.stage);
  if (!cardOf(card.dataset.deal)) glide(card, () => place(card, list));
  announce(words("added", name));
}

document.getElementById("board")?.addEventListener("submit", enter);
dialog?.addEventListener("beforetoggle", () => (wasAsked = true));

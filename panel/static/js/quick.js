// One line and Enter make a deal in a column; the line stays for the next one.

import { cardOf, glide, listOf, nameOf, place } from "./shared/cards.js";
import { completed } from "./shared/completion.js";
import { Failure, fragment } from "./shared/http.js";
import { announce, emit, parse, toast } from "./shared/page.js";
import { viewed, words } from "./shared/texts.js";

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

/** False: whoever thought better of it, or had no luck, keeps the line. */
async function make(form, title) {
  const line = form.elements.title;
  try {
    // The stage may ask for more: then a form does.
    const html = await completed(viewed(form.action), new FormData(form));
    if (html === null) return false;
    line.value = line.value.startsWith(title) ? line.value.slice(title.length) : line.value;
    show(parse(html).querySelector(".card"));
    return true;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    toast(error.message);
    return false;
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

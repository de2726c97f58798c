// One line and Enter make a deal in a column; the line stays for the next one.

import { cardOf, glide, listOf, nameOf, place } from "./shared/cards.js";
import { completed } from "./shared/completion.js";
import { Failure, fragment } from "./shared/http.js";
import { announce, emit, parse, toast } from "./shared/page.js";
import { viewed, words } from "./shared/texts.js";

async function enter(event) {
  const form = event.target.closest("[data-quick]");
  if (!form) return;
  event.preventDefault();
  const line = form.elements.title;
  // Enter twice makes one deal.
  if (!line.value.trim() || form.dataset.sending) return;
  form.dataset.sending = "";
  try {
    // The stage may ask for more: then a form does, and whoever thinks better of it keeps the line.
    const html = await completed(viewed(form.action), new FormData(form));
    if (html !== null) {
      line.value = "";
      await show(parse(html).querySelector(".card"));
    }
    line.focus({ preventScroll: true });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    toast(error.message);
  } finally {
    delete form.dataset.sending;
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

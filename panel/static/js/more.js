// A column loads its next cards shortly before one has scrolled to the end of those that are there.

import { cardOf } from "./shared/cards.js";
import { Failure, fragment } from "./shared/http.js";
import { parse, toast } from "./shared/page.js";

const AHEAD = "400px 0px";
const board = document.getElementById("board");
const watches = new Map();

async function load(more) {
  const link = more.querySelector("[data-more]");
  if (!link || more.dataset.loading) return;
  more.dataset.loading = "";
  try {
    const fresh = parse(await fragment(link.href));
    // One that moved meanwhile stands somewhere already.
    for (const card of fresh.querySelectorAll(".card")) {
      if (cardOf(card.dataset.deal)) card.remove();
    }
    const list = more.parentNode;
    const hadFocus = more.contains(document.activeElement);
    const first = fresh.querySelector(".card");
    more.replaceWith(fresh);
    if (hadFocus) first?.focus({ preventScroll: true });
    watch(list);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    // The link stays, for another try.
    delete more.dataset.loading;
    toast(error.message);
  }
}

function watch(list) {
  const more = list?.querySelector(":scope > .more");
  if (!more) return;
  let observer = watches.get(list);
  if (!observer) {
    observer = new IntersectionObserver(seen, { root: list, rootMargin: AHEAD });
    watches.set(list, observer);
  }
  observer.observe(more);
}

function seen(entries, observer) {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    observer.unobserve(target);
    load(target);
  }
}

if (board) {
  board.addEventListener("click", (event) => {
    const link = event.target.closest("[data-more]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    load(link.parentNode);
  });
  board.querySelectorAll(".col__cards").forEach(watch);
}

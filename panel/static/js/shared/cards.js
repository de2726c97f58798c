// Cards in their columns, in the order that the board has.

import { calm } from "./page.js";

const order = document.getElementById("board")?.dataset.sort ?? "date";

export const cardOf = (deal) => document.getElementById(`deal-${deal}`);

export const listOf = (stage) => document.querySelector(`.col__cards[data-stage="${stage}"]`);

export const nameOf = (card) => card.querySelector("a")?.textContent.trim() ?? "";

/** Where a card that moves now comes in its new column: by date to the top, else by what it was. */
export const keyAt = (card, now) => (order === "date" ? String(now) : card.dataset.key);

/** As the server sorts them: the newest or the largest first, of next tasks the one due first; then
    by number, and last those that have nothing to be sorted by. */
function isBefore(card, other) {
  const way = order === "next" ? 1 : -1;
  const [own, theirs] = [card.dataset.key, other.dataset.key];
  if (!own !== !theirs) return Boolean(own);
  const difference = Number(own) - Number(theirs);
  return way * (difference || Number(card.dataset.deal) - Number(other.dataset.deal)) < 0;
}

/** Puts a card where it belongs in its column. False: the part of the column it belongs to is not
    loaded yet. */
export function place(card, list) {
  const others = [...list.querySelectorAll(":scope > .card")].filter((other) => other !== card);
  const next = others.find((other) => isBefore(card, other));
  const more = list.querySelector(":scope > :not(.card)");
  if (!next && more && others.length) {
    card.remove();
    return false;
  }
  if (card.parentNode !== list || card.nextElementSibling !== (next ?? more)) {
    list.insertBefore(card, next ?? more);
  }
  return true;
}

/** Puts the new card in the place of the old one; the focus stays on it. */
export function exchange(old, card) {
  const focused = old.contains(document.activeElement);
  const inCard = old === document.activeElement;
  old.replaceWith(card);
  if (focused) (inCard ? card : (card.querySelector("a") ?? card)).focus({ preventScroll: true });
}

/** Changes where a card is, and lets it glide there from where it was. */
export function glide(card, change) {
  const before = card.isConnected ? card.getBoundingClientRect() : null;
  const focused = card.contains(document.activeElement) ? document.activeElement : null;
  change();
  if (focused && focused !== document.activeElement) focused.focus({ preventScroll: true });
  if (!card.isConnected || calm.matches) return;
  const after = card.getBoundingClientRect();
  const frames = before
    ? { translate: [`${before.x - after.x}px ${before.y - after.y}px`, "0px"] }
    : { opacity: [0, 1] };
  card.animate(frames, { duration: 160, easing: "ease-out" });
}

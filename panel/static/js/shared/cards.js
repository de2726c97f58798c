// Cards in their columns: the newest in its stage is at the top.

import { calm } from "./page.js";

export const cardOf = (deal) => document.getElementById(`deal-${deal}`);

export const listOf = (stage) => document.querySelector(`.col__cards[data-stage="${stage}"]`);

export const nameOf = (card) => card.querySelector("a")?.textContent.trim() ?? "";

/** As the server sorts them: by the time in the stage, then by number, the newest first. */
function isOlder(card, than) {
  const age = Number(card.dataset.since) - Number(than.dataset.since);
  return (age || Number(card.dataset.deal) - Number(than.dataset.deal)) < 0;
}

/** Puts a card where it belongs by its age. False: the part of the column it belongs to is not
    loaded yet. */
export function place(card, list) {
  const others = [...list.querySelectorAll(":scope > .card")].filter((other) => other !== card);
  const next = others.find((other) => isOlder(other, card));
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

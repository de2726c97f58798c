// Dragging cards to other columns, by mouse and touch (SortableJS). Escape puts the card back.

import { hold, isBusy, move, release, standing, takeBack } from "./shared/moves.js";
import { calm } from "./shared/page.js";

const TOUCH_MS = 180;
let home = null;
let pressed = null;
let isCancelled = false;
let isClickOfDrag = false;

/** Between the press and the first movement news must not replace the card: Sortable would drag one
    that is no more on the board. */
function press(event) {
  isClickOfDrag = false;
  letGo();
  const card = event.button === 0 && event.target.closest("#board .card");
  if (!card || isBusy(card.dataset.deal)) return;
  pressed = card.dataset.deal;
  hold(card);
}

/** It was no drag; the end of a drag is known to Sortable alone. */
function letGo() {
  if (pressed) release(pressed);
  pressed = null;
}

function picked({ item }) {
  pressed = null;
  hold(item);
  home = standing(item);
  isCancelled = false;
  home.list.classList.add("is-home");
  document.body.classList.add("is-dragging");
}

function dropped({ item, to }) {
  document.body.classList.remove("is-dragging");
  home.list.classList.remove("is-home");
  isClickOfDrag = true;
  if (isCancelled) takeBack(item, home);
  if (isCancelled || to === home.list) release(item.dataset.deal);
  else move(item, to, home);
  // Where snapping comes back, it must not take the column out of sight.
  item.parentNode.parentNode.scrollIntoView({ block: "nearest", inline: "nearest" });
}

function cancel(event) {
  if (event.key !== "Escape" || !document.body.classList.contains("is-dragging")) return;
  isCancelled = true;
  // Sortable has no way to be told, so it learns it as a release of the button.
  document.dispatchEvent(new PointerEvent("pointerup"));
}

/** Letting go above a card is no click on it. Without a pointer (detail 0) it is one. */
function swallow(event) {
  if (!isClickOfDrag || !event.detail) return;
  event.preventDefault();
  event.stopPropagation();
}

function prepare(list) {
  window.Sortable.create(list, {
    group: "deals",
    draggable: ".card",
    // Age orders the cards of a column, not people.
    sort: false,
    // The browser's own dragging neither scrolls the board on phones nor shows a card well.
    forceFallback: true,
    fallbackOnBody: true,
    fallbackTolerance: 4,
    // A finger that scrolls must not take a card along.
    delay: TOUCH_MS,
    delayOnTouchOnly: true,
    touchStartThreshold: 5,
    animation: calm.matches ? 0 : 120,
    scrollSensitivity: 80,
    onStart: picked,
    onEnd: dropped,
  });
}

if (window.Sortable) {
  document.querySelectorAll("#board .col__cards").forEach(prepare);
  document.addEventListener("keydown", cancel);
  document.addEventListener("click", swallow, true);
  document.addEventListener("pointerdown", press, true);
  for (const end of ["pointerup", "pointercancel"]) document.addEventListener(end, letGo);
}

// Dragging cards to other columns, by mouse and touch (SortableJS).

import { hold, move, release, standing } from "./shared/moves.js";
import { calm } from "./shared/page.js";

const TOUCH_MS = 180;
let home = null;

function picked({ item }) {
  hold(item);
  home = standing(item);
  document.body.classList.add("is-dragging");
}

function dropped({ item, to }) {
  document.body.classList.remove("is-dragging");
  if (to === home.list) release(item.dataset.deal);
  else move(item, to, home);
}

for (const list of window.Sortable ? document.querySelectorAll("#board .col__cards") : []) {
  window.Sortable.create(list, {
    group: "deals",
    draggable: ".card",
    // Age orders the cards of a column, not people.
    sort: false,
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

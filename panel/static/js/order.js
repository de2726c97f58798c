// Lists whose rows are dragged into another order. Each row has buttons up and down as well, which
// work by keyboard and without this script.

import { Failure, post } from "./shared/http.js";
import { announce, calm, text, toast } from "./shared/page.js";

function items(list) {
  return [...list.querySelectorAll(":scope > [data-item]")];
}

/** The first row can't go up, the last one not down. A fixed row is above all. */
function renewButtons(list) {
  const movable = items(list).filter((row) => row.querySelector(".order button"));
  movable.forEach((row, place) => {
    row.querySelector('[value="up"]').disabled = place === 0;
    row.querySelector('[value="down"]').disabled = place === movable.length - 1;
  });
}

async function keep(list, before) {
  const order = items(list).map((row) => row.dataset.item);
  try {
    const response = await post(list.dataset.orderUrl, { order: order.join(",") });
    if (!response.ok) throw new Failure(response.status, (await response.text()) || text("failed"));
    renewButtons(list);
    announce(items(list).map((row) => row.querySelector(".row__name").firstChild.textContent).join(", "));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    list.append(...before);
    toast(error.message);
  }
}

function prepare(list) {
  let before = items(list);
  window.Sortable.create(list, {
    draggable: "[data-item]:not(.is-fixed)",
    handle: "[data-grip]",
    forceFallback: true,
    fallbackTolerance: 4,
    animation: calm.matches ? 0 : 120,
    // Nothing goes above what is always first.
    onMove: ({ related }) => !related.classList.contains("is-fixed"),
    onStart: () => (before = items(list)),
    onEnd: ({ oldIndex, newIndex }) => oldIndex !== newIndex && keep(list, before),
  });
  list.classList.add("is-sortable");
}

if (window.Sortable) document.querySelectorAll("[data-order-url]").forEach(prepare);

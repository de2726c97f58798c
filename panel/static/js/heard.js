// What people hear who do not see the page: who calls, who picked up, and what colleagues moved.

import { cardOf, nameOf } from "./shared/cards.js";
import { announce, text } from "./shared/page.js";

const stack = document.getElementById("popups");
const callers = new Map();

function popups() {
  for (const popup of stack.querySelectorAll('.pop[data-state="rings"]')) {
    const { call } = popup.dataset;
    if (callers.has(call)) continue;
    const who = popup.querySelector(".pop__name").textContent.trim();
    callers.set(call, who);
    announce(text("calls", { who }));
  }
}

function called({ detail }) {
  const who = callers.get(String(detail.call));
  if (who && detail.kind === "call.answered" && detail.by) announce(text("pickedUp", { who, by: detail.by }));
  if (["call.answered", "call.ended"].includes(detail.kind)) callers.delete(String(detail.call));
}

const waiting = new Map();

function moved({ detail }) {
  if (detail.kind === "deal.moved" && detail.by) waiting.set(String(detail.deal), detail.by);
}

/** Its card stands in its new column by now. */
function shown({ detail }) {
  const by = waiting.get(detail.deal);
  const card = by && cardOf(detail.deal);
  if (!waiting.delete(detail.deal) || !card) return;
  const stage = card.parentNode.dataset.stageName;
  announce(text("movedBy", { deal: nameOf(card), stage, by }));
}

if (stack) {
  document.addEventListener("trichter:popups", popups);
  document.addEventListener("trichter:call", called);
  document.addEventListener("trichter:deal", moved);
  document.addEventListener("trichter:placed", shown);
}

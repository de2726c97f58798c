// Keys that lead to where something is done: a new deal, the card of a call, the cards, the filters, the note.

import { bind } from "./shared/keys.js";

const seen = (selector) =>
  [...document.querySelectorAll(selector)].find((part) => !part.disabled && part.checkVisibility());

/** To the first of these that can be seen. */
function lead(name, selector) {
  if (!document.querySelector(selector)) return;
  bind(name, () => {
    const part = seen(selector);
    if (!part) return false;
    part.focus();
    part.scrollIntoView({ block: "nearest", inline: "nearest" });
  });
}

lead("cards", "#board .card");
lead("filter", ".sift__text");
lead("stage", ".deal__moves select");
lead("note", ".compose textarea");
if (document.querySelector("[data-tasks]")) bind("tasks", () => seen("[data-task-link]")?.focus() ?? false);

if (document.querySelector("[data-quick]")) {
  bind("quick", ({ target }) => {
    const line = target.closest?.(".col")?.querySelector(".quick__line") ?? seen(".quick__line");
    line.focus();
  });
}

if (document.querySelector(".top__tools .btn--go")) {
  bind("new", () => document.querySelector(".top__tools .btn--go").click());
}

const stack = document.getElementById("popups");
let before = null;

/** From one card of a call to the next, and back to where one was when the last is put away. */
function toPopup() {
  const all = [...stack.querySelectorAll(".pop")];
  if (!all.length) return false;
  const at = all.indexOf(document.activeElement.closest(".pop"));
  if (at < 0) before = document.activeElement;
  all[(at + 1) % all.length].focus();
}

/** First out of the field, then the card itself. */
function away({ target }) {
  const popup = target.closest(".pop");
  if (target !== popup) {
    popup.focus();
    return;
  }
  popup.querySelector("[data-dismiss]").click();
  const next = stack.querySelector(".pop") ?? before;
  if (next?.isConnected) next.focus({ preventScroll: true });
}

if (stack) {
  bind("popup", toPopup);
  bind("dismiss", away, { on: ".pop, .pop *" });
}

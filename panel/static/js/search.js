// The search in the top bar: / or Ctrl-K (Cmd-K) goes there; what is found is listed while somebody
// types. Arrows choose, Enter opens, Escape closes. Without a choice Enter opens the page of all.

import { Failure, fragment } from "./shared/http.js";
import { bind } from "./shared/keys.js";
import { announce, parse } from "./shared/page.js";

const PAUSE_MS = 120;
const form = document.querySelector("[data-find]");
const field = form?.querySelector("input");
const list = form?.querySelector("[role=listbox]");
const opener = document.querySelector("[data-find-open]");
let waiting = 0;
let asked = "";

const options = () => [...list.querySelectorAll("[role=option]")];
const chosen = () => list.querySelector("[aria-selected=true]");

function choose(option) {
  chosen()?.setAttribute("aria-selected", "false");
  option?.setAttribute("aria-selected", "true");
  option?.scrollIntoView({ block: "nearest" });
  if (option) field.setAttribute("aria-activedescendant", option.id);
  else field.removeAttribute("aria-activedescendant");
}

function show(open) {
  list.hidden = !open;
  field.setAttribute("aria-expanded", String(open));
  if (!open) choose(null);
}

function close() {
  clearTimeout(waiting);
  asked = "";
  show(false);
}

/** Answers can overtake each other: only that to the last question counts. */
async function ask() {
  const question = field.value.trim();
  if (question === asked) return;
  asked = question;
  if (!question) {
    show(false);
    return;
  }
  let html;
  try {
    html = await fragment(`${form.action}?${new URLSearchParams({ q: question })}`);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (asked === question) tell(error.message);
    return;
  }
  if (asked !== question) return;
  list.replaceChildren(parse(html));
  choose(null);
  show(true);
  // The way to all of them is none of them.
  const { length } = list.querySelectorAll("[role=option]:not(.hit--all)");
  announce(length ? form.dataset.some.replace("{n}", length) : form.dataset.none);
}

function tell(sentence) {
  const note = document.createElement("p");
  note.className = "hits__none";
  note.textContent = sentence;
  list.replaceChildren(note);
  show(true);
}

function step(by) {
  const all = options();
  const at = all.indexOf(chosen());
  // Before the first and after the last is the field itself.
  const next = at < 0 ? (by > 0 ? 0 : all.length - 1) : at + by;
  choose(all[next] ?? null);
}

function pressed(event) {
  if (event.isComposing) return;
  const way = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (way && !list.hidden) {
    step(way);
  } else if (way) {
    asked = "";
    ask();
  } else if (event.key === "Enter" && chosen()) {
    chosen().click();
  } else if (event.key === "Escape") {
    if (list.hidden) leave();
    else close();
  } else {
    return;
  }
  event.preventDefault();
}

function enter() {
  form.classList.add("is-open");
  field.focus();
  field.select();
}

function leave() {
  close();
  form.classList.remove("is-open");
  if (document.activeElement === field) field.blur();
}

if (form && list) {
  field.setAttribute("role", "combobox");
  field.setAttribute("aria-controls", list.id);
  field.setAttribute("aria-autocomplete", "list");
  show(false);
  field.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(ask, PAUSE_MS);
  });
  field.addEventListener("keydown", pressed);
  form.addEventListener("focusout", ({ relatedTarget }) => {
    if (!form.contains(relatedTarget)) leave();
  });
  // A press on an option must not take the focus, and the list with it, before it is a click.
  list.addEventListener("mousedown", (event) => event.preventDefault());
  opener?.addEventListener("click", (event) => {
    event.preventDefault();
    enter();
  });
  bind("search", enter, { inFields: true });
}

// Keeps a deal's own page up to date while it is open, part by part: what somebody writes in is left
// alone until it is saved or left. Its history goes on loading, and shows calls or notes alone.

import { Failure, fragment } from "./shared/http.js";
import { announce, emit, latest, parse, toast } from "./shared/page.js";

const page = () => document.querySelector("[data-deal-page]");
const partOf = (root, name) => root.querySelector(`[data-part="${name}"]`);

const isChanged = (field) =>
  field.matches("select")
    ? [...field.options].some((one) => one.selected !== one.defaultSelected)
    : field.value !== field.defaultValue;

/** Somebody chooses or writes in it right now: what they do must not be taken away. */
const inUse = (part) =>
  part.querySelector("details[data-edit][open], select:focus, input:focus, textarea:focus") !== null ||
  [...part.querySelectorAll("select, input:not([type=hidden]), textarea")].some(isChanged);

let again = 0;

async function renew() {
  clearTimeout(again);
  try {
    const fresh = parse(await fragment(location.href)).querySelector("[data-deal-page]");
    if (!fresh) return;
    const waiting = [...fresh.querySelectorAll("[data-part]")].filter((part) => !takeOver(part));
    // What is in use now is looked at again when it may be free.
    if (waiting.length) again = setTimeout(look, 1500);
    emit("renewed");
    emit("shown");
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    // It was given to somebody else: the server has the words for that.
    if (error.status === 404) location.reload();
  }
}

/** Puts a part of the newer page in place of the old one. False: not now. */
function takeOver(fresh) {
  const { part } = fresh.dataset;
  const old = partOf(page(), part);
  if (!old) return true;
  if (part === "timeline") return join(old, fresh);
  if (inUse(old)) return false;
  const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
  old.replaceWith(fresh);
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  return true;
}

/** The newest entries; older ones that were loaded stay below them. */
function join(old, fresh) {
  const [list, now] = [old.querySelector(".story"), fresh.querySelector(".story")];
  const kept = [...list.children].filter(inUse);
  const last = Number(now.lastElementChild?.dataset.at ?? 0);
  const more = fresh.querySelector(".story__older");
  const ids = new Set([...now.children].map((one) => one.id));
  // Else there may be others in between, which only the server has.
  const goesOn = more && [...list.children].some((one) => one.id === now.lastElementChild.id);
  const older = goesOn ? [...list.children].filter((one) => !ids.has(one.id) && Number(one.dataset.at) <= last) : [];
  for (const one of kept) {
    const same = now.querySelector(`#${one.id}`);
    if (same) same.replaceWith(one);
  }
  if (older.length) {
    now.append(...older);
    more.remove();
    const further = old.querySelector(".story__older");
    if (further) fresh.append(further);
  }
  const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
  old.replaceChildren(...fresh.childNodes);
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  return kept.length === 0;
}

async function loadOlder(link) {
  link.setAttribute("aria-busy", "true");
  try {
    const fresh = parse(await fragment(link.dataset.older));
    const part = link.closest("[data-part]");
    const list = part.querySelector(".story");
    const first = fresh.querySelector(".story > *");
    for (const one of [...fresh.querySelectorAll(".story > *")]) {
      if (!document.getElementById(one.id)) list.append(one);
    }
    link.closest(".story__older").remove();
    const further = fresh.querySelector(".story__older");
    if (further) part.append(further);
    first?.setAttribute("tabindex", "-1");
    first?.focus({ preventScroll: true });
    emit("renewed");
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    link.removeAttribute("aria-busy");
    toast(error.message);
  }
}

/** All, calls or notes: it stays in the address, so that a live update keeps to it. */
function show(link) {
  history.replaceState(null, "", link.href);
  for (const chip of page().querySelectorAll("[data-show]")) chip.removeAttribute("aria-current");
  link.setAttribute("aria-current", "true");
  partOf(page(), "timeline").querySelector(".story").replaceChildren();
  announce(link.textContent);
  look();
}

const look = () => latest("page", renew);

function clicked(event) {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  const chip = event.target.closest("[data-show]");
  const older = event.target.closest("[data-older]");
  if (!chip && !older) return;
  event.preventDefault();
  if (chip) show(chip);
  else if (!older.hasAttribute("aria-busy")) loadOlder(older);
}

if (page()) {
  document.addEventListener("trichter:deal", ({ detail }) => {
    if (String(detail.deal) === page().dataset.dealPage) look();
  });
  document.addEventListener("trichter:look", look);
  document.addEventListener("trichter:reconnected", look);
  document.addEventListener("click", clicked);
  page().addEventListener("focusout", () => again && setTimeout(look, 300));
}

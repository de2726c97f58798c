// Keeps a deal's own page up to date while it is open, part by part: what somebody writes in is left
// alone until it is saved or left. Its history goes on loading, and shows calls or notes alone.

import { Failure, fragment } from "./shared/http.js";
import { bare, morph } from "./shared/morph.js";
import { announce, emit, latest, parse, toast } from "./shared/page.js";
import { soon } from "./shared/soon.js";
import { moveBy } from "./shared/stage.js";
import { isChanged } from "./shared/typed.js";

const page = () => document.querySelector("[data-deal-page]");
const partOf = (root, name) => root.querySelector(`[data-part="${name}"]`);

/** Somebody chooses, writes or presses in it right now: what they do must not be taken away. */
const inUse = (part) =>
  part.querySelector("details[data-edit][open], select:focus, input:focus, textarea:focus, :active") !== null ||
  [...part.querySelectorAll("select, input:not([type=hidden]), textarea")].some(isChanged);

// The parts as the server has sent them: scripts have changed them since.
const served = new Map();
const AGAIN_MS = 3000;
let again = 0;
let left = "";

async function renew() {
  clearTimeout(again);
  try {
    const fresh = parse(await fragment(location.href)).querySelector("[data-deal-page]");
    if (!fresh) return;
    const waiting = [...fresh.querySelectorAll("[data-part]")].filter((part) => !takeOver(part));
    // What is in use now is looked at again when it may be free.
    if (waiting.length) again = setTimeout(look, AGAIN_MS);
    emit("renewed");
    emit("shown");
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    // It was given to somebody else: the server has the words for that.
    if (error.status === 404) location.reload();
    else if (error.status !== 401) again = setTimeout(look, AGAIN_MS);
  }
}

/** Puts a part of the newer page in place of the old one. False: not now. */
function takeOver(fresh) {
  const { part } = fresh.dataset;
  const old = partOf(page(), part);
  if (!old) return true;
  // What is the same stays: somebody may be marking a number in it.
  const html = bare(fresh);
  if (served.get(part) === html) return true;
  if (part !== "timeline" && inUse(old)) return false;
  served.set(part, html);
  if (part === "timeline") return join(old, fresh);
  const focused = old.contains(document.activeElement) ? document.activeElement.id : returning(part);
  old.replaceWith(fresh);
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  return true;
}

/** Where the focus was when the deal was moved from here: it comes back with the new head. */
function returning(part) {
  if (part !== "head" || document.activeElement !== document.body) return "";
  const id = left;
  left = "";
  return id;
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
  for (const one of kept) now.querySelector(`#${one.id}`)?.replaceWith(one.cloneNode(true));
  if (older.length) {
    now.append(...older.map((one) => one.cloneNode(true)));
    more.remove();
    const further = old.querySelector(".story__older");
    if (further) fresh.append(further.cloneNode(true));
  }
  morph(old, fresh);
  if (kept.length) served.delete("timeline");
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
  served.delete("timeline");
  announce(link.textContent);
  look();
}

const look = () => latest("page", renew);

/** A list that has the focus would keep the new head from coming: it goes to the stages above it. */
function leave() {
  left = document.activeElement.matches("select") ? "steps" : document.activeElement.id;
  document.activeElement.blur();
}

/** Moves it without leaving the page; what is written elsewhere on it stays. */
async function move(event) {
  const form = event.target.closest("form[data-move]");
  if (!form) return;
  event.preventDefault();
  if (form.dataset.busy !== undefined) return;
  form.dataset.busy = "";
  try {
    if (!(await moveBy(form))) form.reset();
    else if (form.contains(document.activeElement)) leave();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    form.reset();
    toast(error.message);
    look();
  } finally {
    delete form.dataset.busy;
  }
}

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
  for (const part of page().querySelectorAll("[data-part]")) served.set(part.dataset.part, bare(part));
  document.addEventListener("trichter:deal", ({ detail }) => {
    if (String(detail.deal) === page().dataset.dealPage) look();
  });
  document.addEventListener("trichter:contact", ({ detail }) => {
    if (String(detail.contact) === page().dataset.contact) look();
  });
  document.addEventListener("trichter:funnel", ({ detail }) => soon("deal", look, detail.spread));
  document.addEventListener("submit", move);
  document.addEventListener("trichter:look", look);
  document.addEventListener("trichter:reconnected", look);
  document.addEventListener("click", clicked);
  page().addEventListener("focusout", () => again && setTimeout(look, 300));
}

// The pop-up card: while the phone rings and as long as one talks, then for some seconds what comes
// next. It never takes the focus, and never what is being typed.

import { Failure, fragment } from "./shared/http.js";
import { emit, latest, parse, text } from "./shared/page.js";
import { isChanged } from "./shared/typed.js";

const stack = document.getElementById("popups");
const { popupsUrl } = document.body.dataset;
const ENDED_MS = 6000;
const NEXT_MS = 15_000;
const HESITATES_MS = 4000;
const AGAIN_MS = 3000;
// Of what the server refuses, all but these stay refused, however often one asks.
const PASSING = [408, 429];
const PARTS = ["head", "facts", "note", "stage", "ask", "next", "act"];
const AFTER = "trichter.after";
const DISMISSED = "trichter.dismissed";
const REMEMBERED = 50;
const title = document.title;

const popupOf = (call) => document.getElementById(`popup-${call}`);

const dismissed = () => JSON.parse(sessionStorage.getItem(DISMISSED) ?? "[]");

const fieldsOf = (place) => [...place.querySelectorAll("form input:not([type=hidden]), form textarea, form select")];

/** Something was typed or chosen in a form of it. */
const isDirty = (place) => fieldsOf(place).some((field) => !field.matches("[name=due]") && isChanged(field));

/** Talks that have ended, and when their pop-ups leave: another page still shows them. */
const leaving = () => JSON.parse(sessionStorage.getItem(AFTER) ?? "{}");

function keepLeaving(call, until) {
  const { [call]: _old, ...others } = leaving();
  const kept = until ? { ...others, [call]: until } : others;
  sessionStorage.setItem(AFTER, JSON.stringify(kept));
}

function dismiss(popup) {
  const calls = [...dismissed(), popup.dataset.call].slice(-REMEMBERED);
  sessionStorage.setItem(DISMISSED, JSON.stringify(calls));
  take(popup);
}

function take(popup) {
  keepLeaving(popup.dataset.call, 0);
  popup.remove();
  tellTitle();
  emit("popups");
}

/** A window in the background says in its title who calls. */
function tellTitle() {
  const ringing = stack.querySelector('[data-state="rings"] .pop__name');
  document.title = ringing ? `☎ ${ringing.textContent.trim()}` : title;
}

function show(popup) {
  if (dismissed().includes(popup.dataset.call)) return;
  const old = popupOf(popup.dataset.call);
  if (old) renew(old, popup);
  else stack.prepend(popup);
  emit("shown");
  tellTitle();
  emit("popups");
}

/** A part's HTML without what differs every time: the form's token and key, the seconds, and what
    was unfolded. */
const bare = (part) =>
  part.innerHTML.replace(/(name="(?:csrf_token|form_key)" value=)"[^"]*"|(<time[^>]*>)[^<]*| open=""/g, "$1$2");

/** Only the parts that differ: the rest is not read out again, and a form in use stays. */
function renew(old, popup) {
  for (const name of PARTS) {
    const was = old.querySelector(`[data-part="${name}"]`);
    const now = popup.querySelector(`[data-part="${name}"]`);
    const inUse = was.contains(document.activeElement);
    const keepsForm = isDirty(was) || (inUse && now.querySelector("form"));
    if (keepsForm || bare(was) === bare(now)) continue;
    was.replaceWith(now);
    if (inUse) (now.querySelector("a, button") ?? old).focus();
  }
  old.className = popup.className;
  old.dataset.state = popup.dataset.state;
  for (const name of ["dealUrl", "contact"]) if (popup.dataset[name]) old.dataset[name] = popup.dataset[name];
}

function ended(popup) {
  if (popup.dataset.state === "ended") return;
  popup.className = "pop pop--ended";
  popup.dataset.state = "ended";
  popup.querySelector("[data-state-text]").textContent = text("ended");
  // The time stands still at the length of the talk.
  popup.querySelector("[data-timer]")?.removeAttribute("data-timer");
  leaveIn(popup, ENDED_MS);
  tellTitle();
  emit("popups");
}

const isFinal = (status) => status >= 400 && status < 500 && !PASSING.includes(status);

function failed(error) {
  if (!(error instanceof Failure)) throw error;
  return error.status;
}

/** A talk shows its end and asks what is next; what only rang here is gone at once, unless something
    was typed. */
async function over(popup) {
  const { state, call } = popup.dataset;
  if (state === "ended") return;
  if (state === "rings" && !isDirty(popup)) {
    take(popup);
    return;
  }
  ended(popup);
  if (state !== "rings") await next(call, Date.now() + NEXT_MS);
}

/** What comes after a talk, until a moment; the end of a talk is told once, so it is asked for until
    there is an answer, or the person has put it away. */
async function next(call, until) {
  if (dismissed().includes(call)) return;
  const html = await fragment(`${popupsUrl}/${call}/after`).catch(failed);
  if (typeof html !== "string") {
    if (isFinal(html) || dismissed().includes(call)) return;
    keepLeaving(call, Date.now() + NEXT_MS);
    setTimeout(() => latest(`call-${call}`, () => next(call, Date.now() + NEXT_MS)), AGAIN_MS);
    return;
  }
  for (const fresh of parse(html).querySelectorAll(".pop")) {
    show(fresh);
    const popup = popupOf(call);
    if (!popup) continue;
    const asks = popup.querySelector('[data-part="next"] form');
    keepLeaving(call, until);
    leaveIn(popup, asks ? Math.max(until - Date.now(), 1000) : ENDED_MS);
  }
}

const timers = new WeakMap();
let lastMoved = 0;

function leaveIn(popup, milliseconds) {
  clearTimeout(timers.get(popup));
  timers.set(popup, setTimeout(leave, milliseconds, popup));
}

/** Not while somebody writes in it, or is about to. */
function leave(popup) {
  if (!popup.isConnected) return;
  const isNear = popup.matches(":hover") && Date.now() - lastMoved < HESITATES_MS;
  const inUse = isDirty(popup) || isNear || fieldsOf(popup).includes(document.activeElement);
  if (inUse) leaveIn(popup, 2000);
  else take(popup);
}

/** As it is now, after something was saved from it. */
function refresh(popup) {
  const { call, state } = popup.dataset;
  if (state === "ended") latest(`call-${call}`, () => next(call, Date.now() + NEXT_MS));
  else latest(`call-${call}`, () => changed({ call, kind: "look" }));
}

async function changed({ call, kind }) {
  const popup = popupOf(call);
  if (kind === "call.ended") {
    if (popup) await over(popup);
    return;
  }
  try {
    for (const fresh of parse(await fragment(`${popupsUrl}/${call}`)).querySelectorAll(".pop")) show(fresh);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (error.status === 404 && popup) await over(popup);
    // News is told once: what could not be fetched is asked for again, with all the others.
    if (!isFinal(error.status)) setTimeout(() => latest("popups", all), AGAIN_MS);
  }
}

/** News of a card: who talks about it sees its stage and the last note as they are now. */
function ofDeal({ deal, kind }) {
  if (kind.startsWith("call.")) return;
  for (const popup of stack.querySelectorAll('.pop:not([data-state="ended"])')) {
    if (popup.dataset.dealUrl?.endsWith(`/deals/${deal}`)) refresh(popup);
  }
}

/** News of who calls, whatever card they are on. */
function ofContact({ contact }) {
  for (const popup of stack.querySelectorAll(`.pop[data-contact="${contact}"]:not([data-state="ended"])`)) {
    refresh(popup);
  }
}

/** All of them, as after a gap in the stream. */
async function all() {
  const html = await fragment(popupsUrl).catch(({ status }) => status);
  if (typeof html !== "string") {
    if (!isFinal(html)) setTimeout(() => latest("popups", all), AGAIN_MS);
    return;
  }
  const now = [...parse(html).querySelectorAll(".pop")];
  const calls = new Set(now.map((popup) => popup.dataset.call));
  for (const popup of stack.querySelectorAll(".pop")) {
    if (!calls.has(popup.dataset.call)) await over(popup);
  }
  for (const popup of now.reverse()) show(popup);
  for (const [call, until] of Object.entries(leaving())) {
    const written = Object.keys(sessionStorage).some((key) => key.startsWith(`trichter.draft.call-${call}-`));
    if (calls.has(call) || popupOf(call)) continue;
    if (until > Date.now() || written) await next(call, until);
    else keepLeaving(call, 0);
  }
}

if (stack && popupsUrl) {
  document.addEventListener("trichter:call", ({ detail }) => {
    if (detail.mine) latest(`call-${detail.call}`, () => changed(detail));
  });
  document.addEventListener("trichter:deal", ({ detail }) => ofDeal(detail));
  document.addEventListener("trichter:contact", ({ detail }) => ofContact(detail));
  document.addEventListener("trichter:funnel", () => stack.querySelector(".pop__stage") && latest("popups", all));
  document.addEventListener("trichter:reconnected", () => latest("popups", all));
  stack.addEventListener("click", ({ target }) => {
    if (target.closest("[data-dismiss]")) dismiss(target.closest(".pop"));
  });
  stack.addEventListener("pointermove", () => (lastMoved = Date.now()));
  stack.addEventListener("trichter:saved", ({ target }) => refresh(target.closest(".pop")));
  latest("popups", all);
}

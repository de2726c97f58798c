// The way back after an act, on every page: a message with 'Undo' for some seconds, and Control-Z.

import { Failure } from "./http.js";
import { announce, text, toast } from "./page.js";

const SECONDS = 10;
const MOST = 20;
const ways = [];
let isPlainPast = false;
let turn = Promise.resolve();

/** Runs work when what was asked for by keys before it is done. */
export function inTurn(work) {
  // One that fails unexpectedly must not stop all that come after it.
  turn = turn.then(work).catch(reportError);
}

/** Tells what was done, and offers to take it back with `takeBack`, which may give a sentence that
    tells of it. */
export function offer(message, takeBack, details = null) {
  const way = { takeBack, note: shown(message, details) };
  way.note.querySelector("button").addEventListener("click", () => go(way, announce));
  keep(way);
}

/** Control-Z takes it back, too; what was done shows by itself, with a button of its own. */
export const remember = (takeBack) => keep({ takeBack, note: null });

/** After an act without a way back: Control-Z must not take back an older one in its place. A message
    that still shows keeps its button. */
export function forget() {
  ways.length = 0;
  isPlainPast = true;
}

function keep(way) {
  ways.push(way);
  if (ways.length > MOST) ways.shift();
}

function shown(message, details) {
  const note = document.createElement("div");
  note.className = "toast toast--undo";
  const sentence = document.createElement("div");
  sentence.textContent = message;
  if (details) sentence.append(details);
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = text("undo");
  note.append(sentence, button);
  const place = document.getElementById("toasts");
  // One at a time: what was done before is taken back by Control-Z.
  place.querySelector(".toast--undo")?.remove();
  place.append(note);
  leaveInTime(note, details ? 3 * SECONDS : SECONDS);
  return note;
}

/** It stays while somebody is about to press it. */
function leaveInTime(note, seconds) {
  let timer = 0;
  const start = () => {
    clearTimeout(timer);
    timer = setTimeout(() => note.remove(), seconds * 1000);
  };
  note.addEventListener("pointerenter", () => clearTimeout(timer));
  note.addEventListener("focusin", () => clearTimeout(timer));
  note.addEventListener("pointerleave", start);
  note.addEventListener("focusout", start);
  start();
}

async function go(way, tell) {
  if (way.isGone) return;
  way.isGone = true;
  const at = ways.indexOf(way);
  if (at >= 0) ways.splice(at, 1);
  way.note?.remove();
  try {
    const sentence = await way.takeBack();
    if (sentence) tell(sentence);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    toast(error.message);
  }
}

/** Takes back the last act of this page that was not taken back yet, else what the page came with:
    what was done by a form without scripts. What a key did may be out of sight: it is shown in words. */
export async function undoLast() {
  const plain = document.querySelector("form.moved");
  const told = (sentence) => toast(sentence, "note");
  if (ways.length) await go(ways.at(-1), told);
  else if (plain && !isPlainPast) plain.requestSubmit();
  else told(text("nothing"));
}

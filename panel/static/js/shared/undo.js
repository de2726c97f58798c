// The way back after an act: a message with 'Undo' for some seconds, and Control-Z.

import { Failure } from "./http.js";
import { announce, text, toast } from "./page.js";

const SECONDS = 10;
const MOST = 20;
const ways = [];

/** Tells what was done, and offers to take it back with `takeBack`. */
export function offer(message, takeBack, details = null) {
  const way = { takeBack, note: shown(message, details) };
  way.note.querySelector("button").addEventListener("click", () => go(way));
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

async function go(way) {
  const at = ways.indexOf(way);
  if (at < 0) return;
  ways.splice(at, 1);
  way.note.remove();
  try {
    await way.takeBack();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    toast(error.message);
  }
}

/** Takes back the last act of this page that was not taken back yet. */
export function undoLast() {
  if (ways.length) go(ways.at(-1));
  else announce(text("nothing"));
}

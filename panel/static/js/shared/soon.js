// News reaches every open window in the same moment. What each of them asks for because of it is asked
// for a little later, at random, so that the server is not asked by all at once; it says over how many
// milliseconds that is to be spread. What comes meanwhile is gathered into one question.

import { latest } from "./page.js";

const GATHER_MS = 20;
const waiting = new Map();

export const atRandom = (spread = 0) => Math.random() * spread;

/** Runs work once for all who ask for it by this key, at the earliest in `least` milliseconds and
    within `spread` more; whoever is in a greater hurry brings it forward. */
export function soon(key, work, spread = 0, least = GATHER_MS) {
  const due = performance.now() + least + atRandom(spread);
  const before = waiting.get(key);
  if (before && before.due <= due) return;
  clearTimeout(before?.timer);
  const run = () => {
    waiting.delete(key);
    latest(key, work);
  };
  waiting.set(key, { due, timer: setTimeout(run, due - performance.now()) });
}

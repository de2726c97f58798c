// Heads choose several cards, with Control or Shift, with the space bar, or after 'Choose several' with
// a press on each, and move them or give them to somebody at once.

import { cardOf, nameOf } from "./shared/cards.js";
import { completed } from "./shared/completion.js";
import { Failure, send } from "./shared/http.js";
import { bind } from "./shared/keys.js";
import { announce, emit, parse, toast } from "./shared/page.js";
import { words } from "./shared/texts.js";
import { offer } from "./shared/undo.js";

const board = document.getElementById("board");
const bar = document.getElementById("bulk");
const starter = document.querySelector("[data-choosing]");
const chosen = new Set();
let isChoosing = false;
let last = null;

const cards = () => [...board.querySelectorAll(".card")];

function show() {
  isChoosing ||= chosen.size > 0;
  board.classList.toggle("is-choosing", isChoosing);
  starter.setAttribute("aria-pressed", String(isChoosing));
  bar.hidden = !isChoosing;
  bar.querySelector("[data-chosen]").textContent = words("chosen", { n: chosen.size });
  for (const card of cards()) mark(card);
  ready();
}

function mark(card) {
  const { deal } = card.dataset;
  let box = card.querySelector(".card__choice");
  if (isChoosing && !box) {
    box = document.createElement("input");
    Object.assign(box, { type: "checkbox", className: "card__choice" });
    box.setAttribute("aria-label", words("choose", { deal: nameOf(card) }));
    card.append(box);
  } else if (!isChoosing) {
    box?.remove();
  }
  if (box) box.checked = chosen.has(deal);
  card.classList.toggle("is-chosen", chosen.has(deal));
}

function toggle(deal, on = !chosen.has(deal)) {
  if (on) chosen.add(deal);
  else chosen.delete(deal);
  last = deal;
}

/** All between the last one chosen and this one, in one column. */
function extend(card) {
  const column = [...card.parentNode.querySelectorAll(":scope > .card")];
  const [from, to] = [column.findIndex(({ dataset }) => dataset.deal === last), column.indexOf(card)];
  const range = from < 0 ? [card] : column.slice(Math.min(from, to), Math.max(from, to) + 1);
  for (const { dataset } of range) toggle(dataset.deal, true);
}

function pressed(event) {
  const card = event.target.closest(".card");
  const wanted = event.ctrlKey || event.metaKey || event.shiftKey || isChoosing;
  if (!card || !wanted) return;
  // The box has changed by itself already, and is set again by show.
  if (!event.target.matches(".card__choice")) event.preventDefault();
  event.stopPropagation();
  if (event.shiftKey) extend(card);
  else toggle(card.dataset.deal);
  show();
}

function keyed(event) {
  if (event.key === "Escape" && isChoosing) stop();
}

function picked({ target }) {
  toggle(target.dataset.deal);
  show();
}

function stop() {
  chosen.clear();
  isChoosing = false;
  show();
  bar.reset();
}

function ready() {
  const { stage, owner } = bar.elements;
  bar.querySelector("button").disabled = !chosen.size || (!stage.value && owner.value === "-");
}

async function act(event) {
  event.preventDefault();
  const { stage, owner } = bar.elements;
  const deals = [...chosen].join(",");
  const button = bar.querySelector("button");
  button.disabled = true;
  const isDone = await each(async function* acts() {
    if (stage.value) yield await completed(bar.action, { deals, stage: stage.value });
    if (owner.value !== "-") yield await send(bar.dataset.giveUrl, { deals, owner: owner.value });
  });
  if (isDone) stop();
  ready();
}

/** One act after the other. What was done is told at once, also if the next one fails; false then,
    or if the person thought better of it. */
async function each(acts) {
  const answers = [];
  try {
    for await (const html of acts()) {
      if (html === null) return false;
      answers.push(html);
    }
    return true;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    toast(error.message);
    return false;
  } finally {
    if (answers.length) tell(answers);
  }
}

/** What was done, with one way back for all of it, and what could not be done by name. */
function tell(answers) {
  const results = answers.map((html) => parse(html).querySelector("[data-result]"));
  const sentence = results.map((result) => result.querySelector("p").textContent.trim()).join(" ");
  const failed = failures(results);
  const ways = results.filter(({ dataset }) => dataset.done && dataset.undoUrl).reverse();
  if (ways.length) {
    announce(`${sentence} ${failed?.textContent ?? ""}`);
    offer(sentence, () => takeBack(ways), failed);
  } else {
    const rows = [...(failed?.children ?? [])].map((row) => row.textContent);
    toast([sentence, ...rows].join(" "), failed ? "bad" : "note");
  }
  const done = new Set(results.flatMap(({ dataset }) => (dataset.done ? dataset.done.split(",") : [])));
  for (const deal of done) emit("deal", { deal: Number(deal), kind: "look" });
  emit("heads");
}

/** The last act first. What came of it is told by each. */
async function takeBack(ways) {
  await each(async function* backs() {
    for (const { dataset } of ways) yield await send(dataset.undoUrl, { deals: dataset.done });
  });
}

function failures(results) {
  const [list, ...others] = results.map((result) => result.querySelector("[data-failed]")).filter(Boolean);
  for (const other of others) list.append(...other.children);
  return list ?? null;
}

function renewed(changes) {
  if (!isChoosing) return;
  for (const { addedNodes } of changes) {
    for (const node of addedNodes) if (node.matches?.(".card") && node.isConnected) mark(node);
  }
  const gone = [...chosen].filter((deal) => !cardOf(deal));
  if (!gone.length) return;
  gone.forEach((deal) => chosen.delete(deal));
  show();
}

if (board && bar && starter) {
  starter.hidden = false;
  starter.addEventListener("click", () => {
    if (isChoosing) return stop();
    isChoosing = true;
    show();
  });
  board.addEventListener("click", pressed, true);
  board.addEventListener("keydown", keyed);
  bind("choose", picked, { on: "#board .card" });
  bar.addEventListener("change", ready);
  bar.addEventListener("submit", act);
  bar.querySelector("[data-done]").addEventListener("click", stop);
  const watch = new MutationObserver(renewed);
  board.querySelectorAll(".col__cards").forEach((list) => watch.observe(list, { childList: true }));
}

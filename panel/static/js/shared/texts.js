// Texts and address of the board, for the behaviours that are only there.

const board = document.getElementById("board");
const texts = document.getElementById("board-texts");

/** A text in the user's language; {name} in it is replaced by values.name. */
export function words(name, values = {}) {
  const found = texts?.dataset[name] ?? "";
  return found.replace(/\{(\w+)\}/g, (_all, key) => values[key] ?? "");
}

/** An address with the filters of the board: what the server sends back is as this board shows it. */
export function viewed(url) {
  return board?.dataset.query ? `${url}?${board.dataset.query}` : url;
}

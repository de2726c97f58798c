// On phones, the names of the columns above the board: they lead to the columns without filling the
// history, and say which one is in sight.

const nav = document.querySelector(".jump");
const board = document.getElementById("board");
const columnOf = (link) => document.querySelector(link.getAttribute("href"));

function go(event) {
  const link = event.target.closest("a");
  if (!link) return;
  event.preventDefault();
  columnOf(link).scrollIntoView({ block: "nearest", inline: "start" });
}

function mark(link) {
  if (link.hasAttribute("aria-current")) return;
  nav.querySelector("[aria-current]")?.removeAttribute("aria-current");
  link.setAttribute("aria-current", "true");
  nav.scrollTo({ left: link.offsetLeft - (nav.clientWidth - link.offsetWidth) / 2 });
}

function seen(entries) {
  const links = [...nav.querySelectorAll("a")];
  for (const { target, isIntersecting } of entries) {
    const link = links.find((candidate) => columnOf(candidate) === target);
    if (isIntersecting && link) mark(link);
  }
}

/** With filters on, the deal that was looked for may stand where a phone does not show it. */
function goToFirstFound() {
  const found = [...board.querySelectorAll(".col")].find((column) => column.querySelector(".card"));
  const isPhone = nav.offsetParent !== null;
  if (isPhone && document.querySelector(".sift__one--off")) found?.scrollIntoView({ block: "nearest", inline: "start" });
}

if (nav && board) {
  goToFirstFound();
  nav.addEventListener("click", go);
  // The column on the line a third of the way across: where the eye is, and never two of them.
  const watch = new IntersectionObserver(seen, { root: board, rootMargin: "0px -66% 0px -33%" });
  board.querySelectorAll(".col").forEach((column) => watch.observe(column));
}

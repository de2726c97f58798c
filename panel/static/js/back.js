// 'Board' leads back to the board that was left: the same funnel, the same person's deals.

const LEFT = "trichter.board";

function lead() {
  const left = sessionStorage.getItem(LEFT);
  for (const link of left ? document.querySelectorAll("a[data-to-board]") : []) link.href = left;
}

if (document.getElementById("board")) {
  sessionStorage.setItem(LEFT, location.pathname + location.search);
} else {
  document.addEventListener("trichter:renewed", lead);
  lead();
}

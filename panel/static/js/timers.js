// Running times: elements with data-timer (milliseconds since 1970) show mm:ss since then.

import { serverNow } from "./shared/http.js";

function written(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const two = (number) => String(number).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  const rest = two(seconds % 60);
  return minutes < 60 ? `${two(minutes)}:${rest}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${rest}`;
}

function tick() {
  for (const timer of document.querySelectorAll("[data-timer]")) {
    const now = written(serverNow() - Number(timer.dataset.timer));
    if (timer.textContent !== now) timer.textContent = now;
  }
}

// Four times a second, so that no second is skipped; text changes once a second.
setInterval(tick, 250);
document.addEventListener("trichter:shown", tick);
tick();

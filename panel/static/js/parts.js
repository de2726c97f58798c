// On a narrow screen the line of pages scrolls sideways: the one that is open is in sight.

const here = document.querySelector(".parts [aria-current], .tabs [aria-current]");

here?.scrollIntoView({ block: "nearest", inline: "center", behavior: "instant" });

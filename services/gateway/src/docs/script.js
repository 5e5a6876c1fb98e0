"use strict";
for (const [name, text] of [["origin", location.origin], ["host", location.host]]) {
  if (location.protocol.startsWith("http")) {
    for (const place of document.getElementsByClassName(name)) place.textContent = text;
  }
}
if (location.protocol === "https:") {
  for (const place of [...document.getElementsByClassName("plain")]) place.remove();
}

const filter = document.getElementById("filter");
filter.addEventListener("input", () => {
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const item of document.querySelectorAll("[data-find]")) {
    item.hidden = !words.every((word) => item.dataset.find.includes(word));
  }
  for (const group of document.querySelectorAll("[data-group]")) {
    group.hidden = !group.querySelector("[data-find]:not([hidden])");
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== filter) {
    event.preventDefault();
    filter.focus();
  }
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest(".copy");
  if (!button) return;
  event.preventDefault();
  const text = button.closest("details").querySelector("pre").textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "copied";
  } catch {
    button.textContent = "press Ctrl+C";
  }
  setTimeout(() => { button.textContent = "copy"; }, 1500);
});

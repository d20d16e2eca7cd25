"use strict";
// Charts are drawn already; this reads out the nearest point and hides what a legend switches off.
const reading = document.getElementById("reading");

function show(chart, dot, x, y) {
  const cursor = chart.querySelector(".cursor");
  cursor.setAttribute("cx", dot[0]);
  cursor.setAttribute("cy", dot[1]);
  const name = document.createElement("b");
  name.textContent = dot[3];
  reading.replaceChildren(name, dot[4]);
  reading.hidden = false;
  const box = reading.getBoundingClientRect();
  reading.style.left = Math.max(6, Math.min(x + 14, innerWidth - box.width - 6)) + "px";
  reading.style.top = (y - box.height - 14 > 6 ? y - box.height - 14 : y + 20) + "px";
}

function hide(chart) {
  chart.querySelector(".cursor").setAttribute("cx", -20);
  reading.hidden = true;
}

function onScreen(chart, dot) {
  const point = new DOMPoint(dot[0], dot[1]).matrixTransform(chart.getScreenCTM());
  return [point.x, point.y];
}

function enliven(part) {
  for (const chart of part.querySelectorAll("svg[data-dots]")) {
    const all = JSON.parse(chart.dataset.dots);
    const seen = () => all.filter((dot) => !chart.closest("section").classList.contains("without-" + dot[2]));
    let at = -1;
    chart.addEventListener("pointermove", (event) => {
      let nearest = null, least = 40 * 40; // pixels, farther than which is none; of equals the last, which lies on top
      for (const dot of seen()) {
        const [x, y] = onScreen(chart, dot);
        const distance = (x - event.clientX) ** 2 + (y - event.clientY) ** 2;
        if (distance <= least) [nearest, least] = [dot, distance];
      }
      if (nearest) show(chart, nearest, event.clientX, event.clientY); else hide(chart);
    });
    chart.addEventListener("pointerleave", () => hide(chart));
    chart.addEventListener("blur", () => hide(chart));
    chart.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      const dots = seen();
      if (event.key === "Escape") hide(chart);
      if (!step || !dots.length) return;
      event.preventDefault();
      at = (at + step + dots.length) % dots.length;
      show(chart, dots[at], ...onScreen(chart, dots[at]));
    });
  }

  for (const key of part.querySelectorAll(".key")) {
    key.addEventListener("click", () => {
      const shown = key.getAttribute("aria-pressed") === "true";
      key.setAttribute("aria-pressed", String(!shown));
      const section = key.closest("section");
      section.classList.toggle("without-" + key.dataset.system, shown);
      for (const line of section.querySelectorAll(".system-" + key.dataset.system)) line.classList.toggle("gone", shown);
    });
  }
}

enliven(document);

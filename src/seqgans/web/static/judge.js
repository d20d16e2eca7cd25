"use strict";
// One item after the other; the next is shown only when the answer to this one is on the disk.
const here = location.pathname.replace(/\/$/, "");
const place = (name) => document.getElementById(name);
const buttons = { real: place("real"), generated: place("generated"), back: place("back") };
let current = null, since = 0, busy = false;

function show({ done, of, item }) {
  place("progress").max = Math.max(of, 1);
  place("progress").value = done;
  place("count").textContent = `${done} of ${of} answered`;
  const card = place("item");
  if (sounding) sounding.stop();
  current = item;
  since = performance.now();
  buttons.real.disabled = buttons.generated.disabled = !item;
  buttons.back.disabled = item ? item.place === 0 : of === 0;
  buttons.real.setAttribute("aria-pressed", String(Boolean(item) && item.answer === true));
  buttons.generated.setAttribute("aria-pressed", String(Boolean(item) && item.answer === false));
  place("state").textContent = item && item.answer !== null ? "You have answered this one; answer again to change it." : "";
  if (!item) {
    card.replaceChildren(make("p", { class: "thanks" }, "That was all. Thank you!"));
    return;
  }
  const parts = [];
  if (item.source !== undefined) parts.push(make("p", { class: "asked", dir: "auto" }, item.source));
  if (item.keys) parts.push(pianoRoll(item.keys, item.step));
  else parts.push(make("p", { class: "text", dir: "auto" }, item.text || "(empty)"));
  card.replaceChildren(...parts);
}

async function attempt(action) {
  if (busy) return;
  busy = true;
  try {
    show(await action());
    complain("");
  } catch (error) {
    complain("Not saved. " + error.message);
  } finally {
    busy = false;
  }
}

function answer(real) {
  if (!current) return;
  const seconds = (performance.now() - since) / 1000;
  const sent = { item: current.id, real, seconds };
  attempt(() => ask(here + "/answer", sent));
}

function back() {
  if (buttons.back.disabled) return;
  const before = current ? current.place - 1 : place("progress").max - 1;
  attempt(() => ask(here + "/item?place=" + before));
}

buttons.real.addEventListener("click", () => answer(true));
buttons.generated.addEventListener("click", () => answer(false));
buttons.back.addEventListener("click", back);
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const action = { r: () => answer(true), g: () => answer(false), b: back }[event.key.toLowerCase()];
  if (action) {
    event.preventDefault();
    action();
  }
});
attempt(() => ask(here + "/item"));

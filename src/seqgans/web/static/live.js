"use strict";
// The list of runs, and one of them as it grows.
const place = (name) => document.getElementById(name);
let chosen = decodeURIComponent(location.hash.slice(1)), version = "", found = null, follows = true;

function listed(runs) {
  const focused = document.activeElement && document.activeElement.dataset ? document.activeElement.dataset.run : undefined;
  place("list").replaceChildren(...runs.map((run) => {
    const far = run.rounds && run.round ? `round ${run.round} of ${run.rounds}` : `update ${run.step}`;
    const button = make("button", { type: "button", class: "run " + run.state, "data-run": run.name,
      "aria-pressed": String(run.name === chosen) },
      make("b", {}, run.name), make("span", { class: "state" }, run.state), make("small", {}, `${run.algorithm}, ${far}`));
    button.addEventListener("click", () => choose(run.name));
    return button;
  }));
  if (!runs.length) place("list").textContent = "None yet. They appear here as soon as they begin.";
  if (focused !== undefined) place("list").querySelector(`[data-run="${CSS.escape(focused)}"]`)?.focus();
}

function choose(name) {
  chosen = name;
  version = "";
  follows = true;
  history.replaceState(null, "", "#" + encodeURIComponent(name));
  refresh();
}

function filled(name, html) { // charts and findings, escaped by the server, which alone writes them
  const part = place(name);
  const hidden = [...part.querySelectorAll(".key[aria-pressed=false]")].map((key) => key.dataset.system);
  const open = part.querySelector("details")?.open;
  part.innerHTML = html;
  enliven(part);
  for (const system of hidden) part.querySelector(`.key[data-system="${system}"]`)?.click();
  if (open) part.querySelector("details").open = true;
}

function texts() {
  const at = found.samples[Number(place("when").value)];
  if (!at) return;
  const where = at.round ? `, round ${at.round}` : "";
  place("stage").textContent = `${at.stage}${where}, update ${at.step}`;
  place("texts").replaceChildren(...at.texts.map((text) => {
    const keys = found.music ? text.split(" ").map((note) => found.music.indexOf(note)) : [];
    const tune = keys.length && keys.every((key) => key >= 0);
    return make("div", { class: "sample alone", dir: "auto" }, tune ? pianoRoll(keys) : text || "(empty)");
  }));
}

function present(run) {
  found = run;
  place("empty").hidden = true;
  place("head").hidden = false;
  place("name").textContent = chosen;
  const facts = { algorithm: run.algorithm, corpus: run.corpus, seed: run.seed, updates: run.step, state: run.state };
  place("facts").replaceChildren(...Object.entries(facts).filter(([, value]) => value !== "" && value !== null).map(([name, value]) =>
    make("div", {}, make("dt", {}, name), make("dd", {}, String(value)))));
  filled("findings", run.findings);
  filled("curves", run.curves);
  filled("training", run.training);
  const count = run.samples.length;
  place("now").hidden = !count;
  place("when").max = Math.max(count - 1, 0);
  if (follows) place("when").value = count - 1;
  texts();
}

place("when").addEventListener("input", () => {
  follows = Number(place("when").value) === found.samples.length - 1;
  texts();
});

const refresh = whenSeen(async () => {
  const { runs } = await ask("/live/runs");
  if (!runs.some((run) => run.name === chosen)) chosen = "";
  listed(runs);
  if (!chosen) {
    const going = runs.find((run) => run.state === "running") || runs[0];
    if (!going) return;
    chosen = going.name;
    version = "";
    listed(runs);
  }
  const name = chosen;
  const run = await ask(`/live/run?name=${encodeURIComponent(name)}&seen=${encodeURIComponent(version)}`);
  if (name !== chosen || run.version === version) return;
  version = run.version;
  present(run);
}, 3000);

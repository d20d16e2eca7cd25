"use strict";
// Write, and look at every token: what both players thought of it, and what else could have stood there.
const place = (name) => document.getElementById(name);
const reading = place("reading");
const SHADES = 7;
const ENDS = { score: ["generated", "real"], change: ["less real", "more real"], probability: ["unlikely", "likely"] };
let runs = [], columns = [null, null], abouts = [null, null], preferred = "";

function option(value, words = value) {
  return make("option", { value }, words);
}

async function chosen(side) {
  const name = place("run-" + side).value;
  const run = runs.find((one) => one.name === name);
  place("checkpoint-" + side).replaceChildren(...(run ? run.checkpoints : []).map((one) => option(one)));
  place("checkpoint-" + side).disabled = !run;
  abouts[side] = run ? await ask("/play/run?name=" + encodeURIComponent(name)) : null;
  const about = abouts[0];
  if (!about) return;
  const before = place("category").value, categories = [...new Set(abouts.flatMap((one) => one ? one.categories : []))];
  place("category").replaceChildren(option("", "any"), ...categories.map((one) => option(one)));
  if (categories.includes(before)) place("category").value = before;
  place("category").disabled = !categories.length;
  place("prompt").placeholder = about.answers ? "what it is to answer" : "how it begins (may be empty)";
  place("fill").disabled = place("blank").disabled = about.answers;
  if (about.answers) place("fill").checked = false;
  place("sides").textContent = about.answers ? "" : about.both ? "read: what stands on both sides" : "read: what stands before a blank";
}

function blankSelection() { // each word that the selection touches, or each character where these are the tokens
  const field = place("prompt"), text = field.value, letters = abouts[0] && abouts[0].kind === "characters";
  let from = field.selectionStart, to = field.selectionEnd;
  if (from === to) return complain("Select what is to be blanked in the prompt first.");
  while (!letters && from > 0 && /\S/.test(text[from - 1])) from -= 1;
  while (!letters && to < text.length && /\S/.test(text[to])) to += 1;
  const blanked = text.slice(from, to).replace(letters ? /\S/gu : /\S+/g, "_");
  field.value = text.slice(0, from) + blanked + text.slice(to);
  field.setSelectionRange(from, from + blanked.length);
  place("fill").checked = true;
  complain("");
}

function measures(sequences) { // one number a token, by what is to be coloured
  const kind = place("colour").value;
  return sequences.map(({ tokens }) => tokens.map((token, at) => {
    if (kind !== "change") return token[kind];
    const before = at ? tokens[at - 1].score : null;
    return token.score === null || before === null ? null : token.score - before;
  }));
}

function shades(found) {
  const kind = place("colour").value;
  const all = found.flat(2).filter((value) => value !== null);
  let low = kind === "change" ? -0.5 : 0, high = kind === "change" ? 0.5 : 1;
  if (place("stretch").checked && all.length) [low, high] = [Math.min(...all), Math.max(...all)];
  if (kind === "change" && place("stretch").checked) [low, high] = [-Math.max(-low, high), Math.max(-low, high)];
  const digits = (value) => value.toFixed(high - low < 0.1 ? 3 : 2);
  place("low").textContent = `${ENDS[kind][0]} ${digits(low)}`;
  place("high").textContent = `${digits(high)} ${ENDS[kind][1]}`;
  return (value) => value === null ? "" : "shade-" + Math.max(0, Math.min(SHADES - 1, Math.floor((SHADES * (value - low)) / (high - low || 1))));
}

function percent(value) {
  if (value === null) return "–";
  return value > 0 && value < 0.01 ? "< 1%" : (100 * value).toFixed(value < 0.1 ? 1 : 0) + "%";
}

function colours() { // what a run without a discriminator cannot be coloured by is not offered
  const bare = columns.filter((one) => one && !one.judged).map(({ name }) => name), choice = place("colour");
  for (const one of choice.options) one.disabled = bare.length > 0 && one.value !== "probability";
  if (bare.length && choice.value !== "probability") {
    preferred = choice.value;
    choice.value = "probability";
  } else if (!bare.length && preferred) {
    choice.value = preferred;
    preferred = "";
  }
  place("bare").hidden = !bare.length;
  place("bare").textContent = `${bare.join(" and ")}: ${bare.length > 1 ? "these runs have" : "this run has"} no discriminator; tokens are coloured by their probability.`;
}

function cameBy(token) {
  return token.given ? "given" : `drawn with ${percent(token.probability)}`;
}

function explain(token, box) {
  const rows = token.alternatives.map(([text, share]) => {
    const bar = make("i");
    bar.style.width = 100 * share + "%";
    return make("li", { class: text.trim() === token.text.trim() ? "this" : "" }, make("span", {}, text || "␣"),
      make("span", { class: "share" }, bar), make("small", {}, percent(share)));
  });
  const said = [cameBy(token)];
  if (token.score !== null) said.push(`real so far: ${percent(token.score)}`);
  reading.replaceChildren(make("b", {}, token.end ? "end" : token.text.trim() || "␣"), said.join("; "), make("ol", {}, ...rows));
  reading.hidden = false;
  const size = reading.getBoundingClientRect(), at = box.getBoundingClientRect();
  reading.style.left = Math.max(6, Math.min(at.left, innerWidth - size.width - 6)) + "px";
  reading.style.top = (at.bottom + size.height + 10 < innerHeight ? at.bottom + 8 : Math.max(6, at.top - size.height - 8)) + "px";
}

function tokensOf(sequence, measure, shade) {
  const line = make("p", { class: "tokens", dir: "auto", role: "group", "aria-label": sequence.text || "empty" });
  sequence.tokens.forEach((token, at) => {
    const box = make("span", {
      class: ["token", shade(measure[at]), token.given ? "given" : "", token.end ? "end" : ""].join(" "), role: "img",
      tabIndex: at ? -1 : 0, "aria-label": [token.end ? "end" : token.text, cameBy(token),
        token.score === null ? "" : "real so far " + percent(token.score)].join(" "),
    }, token.end ? "∎" : token.text);
    box.addEventListener("pointerenter", () => explain(token, box));
    box.addEventListener("pointerleave", () => { reading.hidden = true; });
    box.addEventListener("focus", () => explain(token, box));
    box.addEventListener("blur", () => { reading.hidden = true; });
    line.append(box);
  });
  line.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (event.key === "Escape") reading.hidden = true;
    if (!step) return;
    event.preventDefault();
    const all = [...line.children], next = all[all.indexOf(document.activeElement) + step];
    if (!next) return;
    all.forEach((one) => { one.tabIndex = -1; });
    next.tabIndex = 0;
    next.focus();
  });
  return line;
}

function present() {
  if (sounding) sounding.stop();
  reading.hidden = true;
  colours();
  const shown = columns.filter(Boolean), scale = scaleOf(shown.flatMap(({ sequences }) => sequences.map(({ keys }) => keys || [])));
  const found = shown.map(({ sequences }) => measures(sequences));
  const shade = shades(found);
  place("columns").className = shown.length > 1 ? "two" : "";
  place("columns").replaceChildren(...shown.map(({ name, sequences, step }, column) => make("section", { "aria-label": name },
    make("h2", {}, name), ...sequences.map((sequence, row) => {
      const card = make("article", { class: "written" });
      if (sequence.keys && sequence.keys.length) card.append(pianoRoll(sequence.keys, step, scale));
      card.append(tokensOf(sequence, found[column][row], shade));
      if (sequence.score !== null) card.append(make("p", { class: "verdict" }, `discriminator: ${percent(sequence.score)} real`));
      return card;
    }))));
}

async function write() {
  const numbers = Object.fromEntries(["temperature", "top_k", "top_p", "seed", "count"].map((name) => [name, Number(place(name).value)]));
  const wish = { prompt: place("prompt").value, fill: place("fill").checked, ...numbers };
  place("columns").setAttribute("aria-busy", "true");
  try {
    const fresh = [null, null];
    for (const side of [0, 1]) {
      const name = place("run-" + side).value, checkpoint = place("checkpoint-" + side).value;
      if (!name) continue;
      const wanted = place("category").value, known = abouts[side] && abouts[side].categories.includes(wanted);
      const found = await ask("/play/draw", { ...wish, category: known ? wanted : "", run: name, checkpoint });
      fresh[side] = { ...found, name: checkpoint === "latest" ? name : `${name}, ${checkpoint}` };
    }
    columns = fresh;
    complain("");
    present();
  } catch (error) {
    complain(error.message);
  } finally {
    place("columns").removeAttribute("aria-busy");
  }
}

async function begin() {
  runs = (await ask("/play/runs")).runs;
  if (!runs.length) return complain("No run has a checkpoint yet.");
  place("run-0").replaceChildren(...runs.map(({ name }) => option(name)));
  place("run-1").replaceChildren(option("", "nothing"), ...runs.map(({ name }) => option(name)));
  shades([]);
  await Promise.all([chosen(0), chosen(1)]);
}

for (const side of [0, 1]) place("run-" + side).addEventListener("change", () => chosen(side).catch((error) => complain(error.message)));
for (const name of ["colour", "stretch"]) place(name).addEventListener("change", present);
place("form").addEventListener("submit", (event) => {
  event.preventDefault();
  write();
});
place("blank").addEventListener("click", blankSelection);
place("next").addEventListener("click", () => {
  place("seed").value = Number(place("seed").value) + 1;
  write();
});
begin().catch((error) => complain(error.message));

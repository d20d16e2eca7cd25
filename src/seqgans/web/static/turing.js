"use strict";
// Set up the test, hand out links, watch the scores come in.
const place = (name) => document.getElementById(name);

function percent(value) {
  return Math.round(100 * value) + "%";
}

function probability(value) {
  if (value === null) return "–";
  return value < 0.001 ? "< 0.001" : value.toFixed(3);
}

function forest(scores) { // an interval a source, the real items as a band behind all of them
  const narrow = innerWidth < 720, wide = narrow ? 380 : 640, left = narrow ? 130 : 190, right = 20, row = 34,
    letters = narrow ? 16 : 24, height = scores.length * row + 34;
  const across = (share) => left + share * (wide - left - right);
  const picture = draw("svg", { viewBox: `0 0 ${wide} ${height}`, role: "img", class: "forest",
    "aria-label": "Shares taken for real with 95% intervals; the table below has the numbers" });
  const real = scores.find((score) => score.source === "real");
  if (real) picture.append(draw("rect", { class: "band", x: across(real.low), width: across(real.high) - across(real.low), y: 4, height: height - 34 }));
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    picture.append(draw("line", { class: "grid", x1: across(share), x2: across(share), y1: 4, y2: height - 30 }));
    picture.append(draw("text", { class: "tick", x: across(share), y: height - 12, "text-anchor": "middle" }, percent(share)));
  }
  scores.forEach((score, at) => {
    const y = at * row + row / 2 + 4;
    const short = score.source.length > letters ? "…" + score.source.slice(1 - letters) : score.source;
    picture.append(draw("g", { class: "hue-" + (at % 8) },
      draw("text", { class: "who", x: left - 14, y: y + 4, "text-anchor": "end" }, short),
      draw("line", { class: "interval", x1: across(score.low), x2: across(score.high), y1: y, y2: y }),
      draw("circle", { class: "mark", cx: across(score.score), cy: y, r: 6 })));
  });
  return picture;
}

let shown = "", again = false; // whether another draw is being set up

function show(state) {
  const text = JSON.stringify(state);
  if (text === shown) return;
  shown = text;
  const ready = Object.keys(state.sources).length > 0;
  again = again && state.answers === 0;
  place("setting").hidden = ready && !again;
  place("anew").hidden = again || state.answers > 0;
  place("judging").hidden = !ready;
  place("scores").hidden = !state.scores.length;
  if (!ready || again) {
    const chosen = new Set([...document.querySelectorAll("#runs input:checked")].map((box) => box.value));
    place("runs").replaceChildren(...state.runs.map((name) =>
      make("label", {}, make("input", { type: "checkbox", value: name, checked: chosen.has(name) }), " " + name)));
    if (!state.runs.length) place("runs").textContent = "There are no runs yet.";
  }
  if (!ready) return;
  const real = state.sources.real, { asked = 0, seed, temperature, left_out: blank = {} } = state.draw;
  const fewer = asked > real ? ` One source has no more than ${real}, so there are ${real} of each source instead of ${asked}.` : "";
  const how = seed === undefined ? "" : ` Drawn with seed ${seed} at temperature ${temperature}.`;
  const left = Object.entries(blank).map(([name, count]) => `${count} of ${name}`).join(", ");
  place("items").textContent =
    "Items: " + Object.entries(state.sources).map(([name, count]) => `${count} ${name}`).join(", ") + "." + how + fewer +
    (left ? ` Left out, since there is nothing in them: ${left}.` : "");
  place("judges").replaceChildren(...state.judges.map((judge) => {
    const link = location.origin + judge.link;
    const copy = make("button", { type: "button", class: "quiet", "aria-label": "Copy the link of " + judge.name }, "Copy");
    copy.addEventListener("click", async () => {
      await navigator.clipboard.writeText(link);
      copy.textContent = "Copied";
    });
    return make("tr", {}, make("th", { scope: "row" }, judge.name), make("td", {}, `${judge.done} of ${judge.of}`),
      make("td", { class: "link" }, copy, make("code", {}, link)));
  }));
  place("table").replaceChildren(...state.scores.map((score, at) => make("tr", {},
    make("th", { scope: "row" }, make("span", { class: "swatch hue-" + (at % 8) }), score.source), make("td", {}, String(score.answers)),
    make("td", {}, make("b", {}, percent(score.score))), make("td", {}, `${percent(score.low)} to ${percent(score.high)}`),
    make("td", {}, probability(score.fisher)), make("td", {}, probability(score.by_item)))));
  place("forest").replaceChildren(forest(state.scores));
  place("agreement").textContent = state.agreement === null
    ? "Agreement of the judges: not defined yet (it takes two answers to one item, and answers that differ)."
    : `Agreement of the judges, Krippendorff’s α: ${state.agreement.toFixed(2)} (1: all agree, 0: as by chance).`;
}

function sending(form, path, values) {
  place(form).addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = event.submitter || place(form).querySelector("button");
    button.disabled = true;
    try {
      const state = await ask(path, values());
      again = false;
      shown = "";
      show(state);
      complain("");
      place(form).reset();
    } catch (error) {
      complain(error.message);
    } finally {
      button.disabled = false;
    }
  });
}

place("anew").addEventListener("click", () => {
  again = true;
  shown = "";
  refresh();
});
sending("draw", "/turing/draw", () => {
  return {
    runs: [...document.querySelectorAll("#runs input:checked")].map((box) => box.value), anew: again,
    count: Number(place("count").value), temperature: Number(place("temperature").value), seed: Number(place("seed").value),
  };
});
sending("add", "/turing/judges", () => ({ name: place("name").value }));
const refresh = whenSeen(async () => show(await ask("/turing/state")), 3000);

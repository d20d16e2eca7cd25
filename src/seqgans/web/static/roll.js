"use strict";
// A tune as a piano roll, played by the browser: keys of a piano from 0 (A0), equal neighbours are one held note.
let sounding = null;

function notesOf(keys) {
  const notes = [];
  keys.forEach((key, at) => {
    const last = notes.at(-1);
    if (last && last.key === key) last.size += 1; else notes.push({ key, at, size: 1 });
  });
  return notes;
}

const NAMES = ["A", "A♯", "B", "C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯"];

function nameOf(key) {
  return NAMES[key % 12] + Math.floor((key + 9) / 12);
}

function scaleOf(tunes) { // what holds several tunes: their lowest and highest key, and the steps of the longest
  const keys = tunes.flat();
  return { low: Math.min(...keys) - 1, high: Math.max(...keys) + 1, steps: Math.max(...tunes.map((tune) => tune.length)) };
}

function pitches(low, high) { // names of the Cs beside the roll; where it holds none, of its lowest and highest note
  const keys = Array.from({ length: high - low - 1 }, (_, at) => low + 1 + at), cs = keys.filter((key) => key % 12 === 3);
  const names = (cs.length ? cs : [...new Set([keys[0], keys.at(-1)])]).map((key) => {
    const name = make("span", {}, nameOf(key));
    name.style.top = (100 * (high - key + 0.5)) / (high - low + 1) + "%";
    return name;
  });
  return make("div", { class: "pitches", "aria-hidden": "true" }, ...names);
}

function pianoRoll(keys, step = 0.4, { low, high, steps } = scaleOf([keys])) {
  const wide = 10, tall = 6;
  const roll = draw("svg", {
    class: "roll", viewBox: `0 0 ${steps * wide} ${(high - low + 1) * tall}`, role: "img", preserveAspectRatio: "none",
    "aria-label": "Piano roll: " + notesOf(keys).map((note) => nameOf(note.key)).join(" "),
  });
  for (let key = low; key <= high; key += 1) {
    if (NAMES[((key % 12) + 12) % 12].length > 1) {
      roll.append(draw("rect", { class: "black", x: 0, y: (high - key) * tall, width: steps * wide, height: tall }));
    }
  }
  for (let bar = 4; bar < steps; bar += 4) {
    roll.append(draw("line", { class: "beat", x1: bar * wide, x2: bar * wide, y1: 0, y2: (high - low + 1) * tall }));
  }
  const drawn = notesOf(keys).map((note) => {
    const box = draw("rect", {
      class: "note", x: note.at * wide + 0.5, y: (high - note.key) * tall + 0.5, width: note.size * wide - 1, height: tall - 1, rx: 1.5,
    });
    box.append(draw("title", {}, nameOf(note.key)));
    roll.append(box);
    return { ...note, box };
  });
  const button = make("button", { type: "button", class: "quiet play" }, "Play");
  button.addEventListener("click", () => {
    const again = sounding && sounding.button === button;
    if (sounding) sounding.stop();
    if (!again) play(drawn, step, button);
  });
  return make("div", { class: "tune" }, make("div", { class: "keyboard" }, pitches(low, high), roll), button);
}

function play(notes, step, button) {
  const audio = new AudioContext();
  const begin = audio.currentTime + 0.08;
  const timers = [];
  let over = begin;
  for (const note of notes) {
    const from = begin + note.at * step, until = from + note.size * step;
    const tone = audio.createOscillator(), loudness = audio.createGain();
    tone.type = "triangle";
    tone.frequency.value = 27.5 * 2 ** (note.key / 12);
    loudness.gain.setValueAtTime(0, from);
    loudness.gain.linearRampToValueAtTime(0.22, from + 0.015);
    loudness.gain.exponentialRampToValueAtTime(0.06, Math.max(from + 0.02, until - 0.05));
    loudness.gain.linearRampToValueAtTime(0, until);
    tone.connect(loudness).connect(audio.destination);
    tone.start(from);
    tone.stop(until);
    timers.push(setTimeout(() => note.box.classList.add("now"), (from - audio.currentTime) * 1000));
    timers.push(setTimeout(() => note.box.classList.remove("now"), (until - audio.currentTime) * 1000));
    over = until;
  }
  const stop = () => {
    timers.forEach(clearTimeout);
    notes.forEach((note) => note.box.classList.remove("now"));
    button.textContent = "Play";
    sounding = null;
    audio.close();
  };
  timers.push(setTimeout(stop, (over - audio.currentTime) * 1000 + 100));
  button.textContent = "Stop";
  sounding = { button, stop };
}

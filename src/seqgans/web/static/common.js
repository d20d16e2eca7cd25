"use strict";
// What every view does: ask the server, say when that fails, make elements whose text is text.
const trouble = document.getElementById("trouble");
const complaints = { action: "", poll: "" }; // what somebody did stays until something they do succeeds

function complain(words, about = "action") {
  complaints[about] = words;
  trouble.textContent = complaints.action || complaints.poll;
  trouble.hidden = !trouble.textContent;
}

async function ask(path, sent) {
  const options = sent === undefined ? {} : {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(sent),
  };
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Error("The studio does not answer. Is it still running?");
  }
  const found = await response.json().catch(() => ({ error: "Open the link that the studio printed when it was started." }));
  if (!response.ok) throw new Error(found.error || "That did not work (" + response.status + ").");
  return found;
}

function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "class") element.className = value;
    else if (key in element && typeof value !== "string") element[key] = value;
    else element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

function draw(name, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

function whenSeen(action, milliseconds) { // again and again, but not behind other tabs
  let running = false;
  const once = async () => {
    if (document.hidden || running) return;
    running = true;
    try {
      await action();
      complain("", "poll");
    } catch (error) {
      complain(error.message, "poll");
    } finally {
      running = false;
    }
  };
  document.addEventListener("visibilitychange", once);
  setInterval(once, milliseconds);
  once();
  return once;
}

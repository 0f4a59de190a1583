// What pages do beyond HTML where scripts run; everything works without.
//   #q=START-END        highlights these characters (code points) of the element with data-text, and goes there
//   data-copy="TEXT"    a button that copies the text, or the page's address where it is empty;
//                       data-done="TEXT" is shown for a moment after
//   data-poll="URL"     is replaced every second by the element at this address, until that has data-done
//   data-busy="TEXT"    on a form: its button shows the text while the form is sent
"use strict";

document.documentElement.classList.add("scripts");

const calm = matchMedia("(prefers-reduced-motion: reduce)");

function show(element) {
  element.tabIndex = -1;
  element.scrollIntoView({ block: "center", behavior: calm.matches ? "auto" : "smooth" });
  element.focus({ preventScroll: true });
}

// The text nodes of an article; the numbers beside it are not of its text.
function* textNodes(element) {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    if (!walker.currentNode.parentElement.closest(".margin")) yield walker.currentNode;
  }
}

// How many UTF-16 units the first `count` characters of a text have.
function units(text, count) {
  let length = 0;
  for (const character of text) {
    if (count-- <= 0) break;
    length += character.length;
  }
  return length;
}

function highlight(start, end) {
  const article = document.querySelector("[data-text]");
  if (!article) return;
  for (const old of document.querySelectorAll("mark.mark-quote")) old.replaceWith(...old.childNodes);
  let at = 0;
  let first = null;
  for (const node of [...textNodes(article)]) {
    const text = node.data;
    const length = [...text].length;
    if (at < end && at + length > start) {
      const from = units(text, start - at);
      const until = units(text, end - at);
      if (text.slice(from, until).trim()) {
        const part = node.splitText(from);
        part.splitText(until - from);
        const mark = document.createElement("mark");
        mark.className = "mark-quote";
        part.replaceWith(mark);
        mark.append(part);
        first ??= mark;
      }
    }
    at += length;
  }
  if (first) {
    first.id = "q";
    show(first);
  }
}

function followFragment() {
  const span = /^#q=(\d{1,9})-(\d{1,9})$/.exec(location.hash);
  const quote = document.getElementById("q");
  if (span) highlight(Number(span[1]), Number(span[2]));
  else if (location.hash === "#q" && quote?.matches("mark")) show(quote);
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.dataset.copy || location.href);
  } catch {
    return; // not allowed, or not over https
  }
  if (!button.dataset.done) return;
  const label = button.textContent;
  button.setAttribute("aria-live", "polite");
  button.textContent = button.dataset.done;
  delete button.dataset.done;
  setTimeout(() => {
    button.dataset.done = button.textContent;
    button.textContent = label;
  }, 2000);
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.getAttribute("aria-busy") === "true") return event.preventDefault();
  form.setAttribute("aria-busy", "true");
  const button = event.submitter;
  if (button && form.dataset.busy) button.textContent = form.dataset.busy;
});

async function poll() {
  const element = document.querySelector("[data-poll]");
  if (!element) return;
  try {
    const response = await fetch(element.dataset.poll);
    if (response.redirected) return location.reload(); // to sign in again
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    if (response.ok) element.replaceWith(page.body.firstElementChild);
  } catch {
    // the server is away for a moment
  }
  setTimeout(poll, 1000);
}

addEventListener("hashchange", followFragment);
addEventListener("pageshow", () => document.querySelectorAll("[aria-busy]").forEach((form) => form.removeAttribute("aria-busy")));
followFragment();
setTimeout(poll, 1000);

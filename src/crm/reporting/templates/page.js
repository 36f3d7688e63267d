// What a page can do beside being read: sort and search its tables, and say what a word means.
// Whatever stands on the page stays text: nothing here makes HTML of it. Without this script the page is whole.
"use strict";

const FEWEST_TO_SORT = 3;
const FEWEST_TO_SEARCH = 12;
const NOT_THERE = new Set(["", "–", "under 5"]);

const made = (tag, attributes = {}, ...content) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...content);
  return element;
};

const counted = (count) => count.toLocaleString("en-US");

// ---- Sorting: a button in each heading; ascending, descending, as it was --------------------------------------

const alphabet = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

function valueOf(row, at) {
  const cell = row.cells[at];
  if (cell?.dataset.sort !== undefined) return Number(cell.dataset.sort);
  const text = cell?.textContent.trim() ?? "";
  return NOT_THERE.has(text) ? null : text;
}

function compared(one, other) {
  if (typeof one === "number" && typeof other === "number") return one - other;
  return alphabet.compare(String(one), String(other));
}

function inOrder(rows, at, direction) {
  const keyed = rows.map((row) => ({ row, value: valueOf(row, at) }));
  const there = keyed.filter(({ value }) => value !== null);
  const missing = keyed.filter(({ value }) => value === null); // last, whichever way
  const sign = direction === "descending" ? -1 : 1;
  there.sort((one, other) => sign * compared(one.value, other.value)); // stable, as the language promises
  return [...there, ...missing].map(({ row }) => row);
}

function makeSortable(table) {
  const body = table.tBodies[0];
  const original = [...body.rows];
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, at) => {
    const button = made("button", { type: "button", class: "sort" }, heading.textContent);
    button.addEventListener("click", () => {
      const next = { ascending: "descending", descending: null }[heading.getAttribute("aria-sort")];
      const direction = next === undefined ? "ascending" : next;
      headings.forEach((each) => each.removeAttribute("aria-sort"));
      if (direction) heading.setAttribute("aria-sort", direction);
      body.append(...(direction ? inOrder(original, at, direction) : original));
    });
    heading.replaceChildren(button);
  });
}

// ---- Searching: rows that hold every word that is typed ---------------------------------------------------------

function makeSearchable(frame, table) {
  const rows = [...table.tBodies[0].rows];
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const all = frame.dataset.of ? `${counted(rows.length)} of ${frame.dataset.of}` : counted(rows.length);
  const field = made("input", { type: "search", autocomplete: "off", spellcheck: "false" });
  const count = made("span", { class: "count", role: "status", "aria-live": "polite" });
  const search = () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    rows.forEach((row, at) => {
      row.hidden = !words.every((word) => texts[at].includes(word));
      if (!row.hidden) found += 1;
    });
    count.textContent = words.length ? `${counted(found)} of ${counted(rows.length)} rows` : "";
  };
  field.addEventListener("input", search);
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    field.value = "";
    search();
  });
  const label = made("label", {}, `Search these ${all} rows `, field);
  const name = table.caption?.textContent.trim() || frame.getAttribute("aria-label") || "this table";
  frame.before(made("div", { class: "search", role: "search", "aria-label": name }, label, count));
}

for (const frame of document.querySelectorAll("div.table")) {
  const table = frame.querySelector("table");
  const rows = table?.tBodies[0]?.rows.length ?? 0;
  if (!table?.tHead || rows < FEWEST_TO_SORT) continue;
  if (rows >= FEWEST_TO_SEARCH) makeSearchable(frame, table);
  makeSortable(table);
}

// ---- Words: what one means, while it is pointed at, focused or tapped -------------------------------------------

const GAP = 6; // pixels between a word and what is said of it
const LINGER = 250; // milliseconds to move the pointer from the word onto it

const tip = made("div", { id: "tip", role: "tooltip" });
tip.hidden = true;
let explained = null; // the word whose meaning is shown
let waiting = 0;

function hide() {
  clearTimeout(waiting);
  explained?.removeAttribute("aria-describedby");
  explained = null;
  tip.hidden = true;
}

function hideSoon() {
  clearTimeout(waiting);
  waiting = setTimeout(() => document.activeElement !== explained && hide(), LINGER);
}

function place(word) {
  const at = word.getClientRects()[0];
  const widest = document.documentElement.clientWidth;
  const left = Math.max(GAP, Math.min(at.left, widest - tip.offsetWidth - GAP));
  const fitsBelow = at.bottom + GAP + tip.offsetHeight <= innerHeight;
  const top = fitsBelow || at.top < tip.offsetHeight + GAP ? at.bottom + GAP : at.top - GAP - tip.offsetHeight;
  tip.style.left = `${left + scrollX}px`;
  tip.style.top = `${top + scrollY}px`;
}

function explain(word) {
  const meaning = document.getElementById(word.hash.slice(1))?.nextElementSibling?.querySelector(".meaning");
  clearTimeout(waiting);
  if (!meaning || word === explained) return;
  hide();
  tip.textContent = meaning.textContent;
  tip.hidden = false;
  tip.style.left = tip.style.top = "0px"; // measured where there is room
  place(word);
  word.setAttribute("aria-describedby", tip.id);
  explained = word;
}

function makeExplained(word) {
  let firstTap = false;
  const byMouse = (act) => (event) => event.pointerType === "mouse" && act();
  word.addEventListener("pointerenter", byMouse(() => explain(word)));
  word.addEventListener("pointerleave", byMouse(hideSoon));
  word.addEventListener("pointerdown", (event) => {
    firstTap = event.pointerType === "touch" && explained !== word;
  });
  word.addEventListener("click", (event) => {
    if (firstTap) {
      event.preventDefault(); // a first tap explains, a second one leads to the list of words
      explain(word);
    } else hide();
    firstTap = false;
  });
  word.addEventListener("focus", () => explain(word));
  word.addEventListener("blur", hide);
}

const words = document.querySelectorAll("a.word");
if (words.length) {
  document.body.append(tip);
  words.forEach(makeExplained);
  tip.addEventListener("pointerenter", () => clearTimeout(waiting));
  tip.addEventListener("pointerleave", hideSoon);
  addEventListener("resize", hide);
  document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
  document.addEventListener("pointerdown", ({ target }) => {
    if (explained && target !== explained && !tip.contains(target)) hide();
  });
}

// Makes pages that also work without it more comfortable: a run that goes on refreshes itself, a live log
// grows, tables can be sorted, times say the reader's own time when pointed at.
"use strict";

const pause = () => (document.hidden ? 10000 : 2000);

function localTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    time.title = new Date(time.dateTime).toLocaleString();
  }
}

function toEnd(root) {
  for (const log of root.querySelectorAll("pre.tail")) log.scrollTop = log.scrollHeight;
}

async function refreshRun(box) {
  try {
    const answer = await fetch(box.dataset.url, { credentials: "same-origin" });
    if (answer.status === 404) return;
    if (answer.ok) {
      if (answer.headers.get("x-run-live") === "no") {
        location.reload();
        return;
      }
      const text = await answer.text();
      if (text !== box.dataset.shown) {
        box.dataset.shown = text;
        const held = document.activeElement && box.contains(document.activeElement) ? document.activeElement.id : "";
        box.innerHTML = text;
        localTimes(box);
        toEnd(box);
        if (held) document.getElementById(held)?.focus();
      }
    }
  } catch (error) {
    console.debug("the server did not answer; asking again", error);
  }
  setTimeout(refreshRun, pause(), box);
}

async function growLog(log) {
  let full = false;
  try {
    const answer = await fetch(`?raw&offset=${log.dataset.offset}`, { credentials: "same-origin" });
    if (answer.ok) {
      const atEnd = window.innerHeight + window.scrollY >= document.body.scrollHeight - 200;
      const before = log.dataset.offset;
      log.append(await answer.text());
      log.dataset.offset = answer.headers.get("x-next-offset");
      document.getElementById("log-end").textContent = log.dataset.offset;
      if (atEnd) window.scrollTo(0, document.body.scrollHeight);
      if (answer.headers.get("x-complete") === "yes") return;
      full = log.dataset.offset - before > 100000;
    }
  } catch (error) {
    console.debug("the server did not answer; asking again", error);
  }
  setTimeout(growLog, full ? 100 : pause(), log);
}

function valueOf(row, column) {
  const cell = row.cells[column];
  const text = cell.dataset.value ?? cell.textContent.trim();
  const plain = text.replace(/[\u202f\u2009]/g, "");
  const number = cell.dataset.value === undefined ? parseFloat(plain) : Number(plain || NaN);
  return Number.isNaN(number) ? text.toLowerCase() : number;
}

function sortBy(table, column, header) {
  const falling = header.getAttribute("aria-sort") === "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", falling ? "descending" : "ascending");
  const rows = [...table.tBodies[0].rows].map((row) => [valueOf(row, column), row]);
  rows.sort(([a], [b]) => {
    if (typeof a === typeof b) return a < b ? -1 : a > b ? 1 : 0;
    return typeof a === "number" ? -1 : 1;
  });
  if (falling) rows.reverse();
  table.tBodies[0].append(...rows.map(([, row]) => row));
}

for (const table of document.querySelectorAll("table.sortable")) {
  if (table.tBodies[0].rows.length < 2) continue;
  [...table.tHead.rows[0].cells].forEach((header, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.title = "Sort";
    button.textContent = header.textContent;
    button.addEventListener("click", () => sortBy(table, column, header));
    header.replaceChildren(button);
  });
}

for (const select of document.querySelectorAll("form.filter select")) {
  select.addEventListener("change", () => select.form.submit());
}

localTimes(document);
toEnd(document);
const box = document.getElementById("live");
if (box && box.dataset.live === "yes") setTimeout(refreshRun, pause(), box);
const log = document.getElementById("log");
if (log && log.dataset.live === "yes") setTimeout(growLog, pause(), log);

"use strict";
// Everything that came from a file or a drill is written as text, never as markup.
const setup = JSON.parse(document.getElementById("setup").textContent);
const $ = id => document.getElementById(id);
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const SILENT_MS = 5000, LOOKS = 360, LOOKS_LEAST = 120, LAG_S = 2.5, SVG = "http://www.w3.org/2000/svg";
const RAILS = { heartbeat: "prober", "refused-per-minute": "orders refused", money: "at risk", alert: "alert", "undo-path": "the undo" };
let state = null, receivedMs = 0, streamMs = Date.now(), open = false, looks = [], looksOf = "", pressed = "";

function put(element, text) { if (element.textContent !== text) element.textContent = text; }
function make(name, text, kind) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  if (kind) made.className = kind;
  return made;
}
function tone(element, word) { element.classList.remove("s-ok", "s-hurt", "s-warn", "s-calm", "s-invalid", "s-error"); if (word) element.classList.add("s-" + word); }
const mark = name => state.marks.find(m => m.name === name);
const seconds = s => s < 100 ? s.toFixed(s < 10 ? 1 : 0) + " s" : Math.floor(s / 60) + ":" + String(Math.floor(s % 60)).padStart(2, "0");
const plain = s => Math.round(s) + " s";

// ---- what the marks add up to
function isOver() { return Boolean(state.verdict) || !state.alive; }
function sinceFault() {
  const fault = mark("fault-active"), healed = mark("fault-healed");
  if (!fault) return null;
  const back = backAfter();
  if (back !== null) return back;
  if (healed && !isWatched()) return healed.at_s - fault.at_s;
  if (isOver()) return state.since_fault_s;
  return state.now_s + (Date.now() - receivedMs) / 1000 - fault.at_s;
}
// Once stopped, nobody looks at the customers any more: what is shown of them is the last look.
function isWatched() { return !(isOver() || mark("interrupted") || mark("load-stopped")); }
function backAfter() {
  if (!mark("service-well") || !state.rates.length || state.rates.some(r => !r.well)) return null;
  return Math.max(0, ...state.rates.map(r => r.unwell_until_s || 0));
}
function headline() {
  const stopped = mark("interrupted");
  if (state.verdict) {
    const word = setup.verdicts[state.verdict];
    const tones = { met: "ok", missed: "hurt", inconclusive: "warn", invalid: "invalid", error: "error" };
    return [word ? "Ended: " + word.toLowerCase() : "Ended without a verdict", state.reason, tones[state.verdict] || "error"];
  }
  if (!state.alive) return ["The drill died", "Its process is gone. Its experiment plays its own undo; `peakdrill undo`, or the next start, mends what is left.", "hurt"];
  if (stopped && !mark("fault-healed") && mark("fault-armed")) return [mark("fault-released") ? "Aborting: healing" : "Aborting", stopped.note, "warn"];
  if (stopped) return ["Aborted", stopped.note, "warn"];
  const phase = state.phase + (state.phase_limit_s ? " (at most " + plain(state.phase_limit_s) + ")" : "");
  if (mark("fault-healed")) return [mark("protected") ? "Protected again" : "Fault is healed", phase, "ok"];
  if (mark("fault-released")) return ["Undoing the fault", phase, "warn"];
  if (mark("fault-active")) {
    const hurt = state.rates.filter(r => !r.well).length;
    if (mark("service-well") && !hurt) return ["Service is back", phase, "ok"];
    return hurt ? [hurt + " of " + state.rates.length + " hurt", phase, "hurt"] : ["Fault is active", phase, "warn"];
  }
  return [mark("baseline-begun") || state.load_s ? "Baseline" : "Preparing", phase, "calm"];
}
function steps() {
  const reached = [["Baseline", true], ["Fault", mark("fault-active")], ["Service back", mark("service-well")], ["Undone", mark("fault-healed")],
    ["Protected", mark("protected")], ["Read back", mark("read-back-first")], ["Verdict", state.verdict]];
  const last = reached.map(r => Boolean(r[1])).lastIndexOf(true);
  return reached.map(([name, seen], n) => [name, n === last ? "now" : seen ? "done" : n < last ? "left out" : ""]);
}

// ---- the screen
function draw() {
  put($("what"), state.run_id ? ["/", state.scenario, "/", state.platform, state.heading ? "(" + state.heading + ")" : "", "/", state.size, state.peak + "x", "/", state.run_id].join(" ") : "live");
  const [head, why, word] = headline();
  put($("state"), head); put($("why"), why); tone(document.body, word);
  document.title = head + ": " + state.scenario + " (peakdrill live)";
  drawFigures(); drawSteps(); drawWorkloads(); drawRails(); drawLog(); drawButton();
  summarise(head, word);
}
function drawFigures() {
  const harm = state.harm;
  put($("orders"), harm ? harm.orders.toLocaleString("en") : "-");
  put($("money"), harm ? Math.round(harm.money_cents / 100).toLocaleString("en") + " " + state.currency : "-");
}
function drawClock() {
  if (!state || !state.run_id) return;
  const since = sinceFault();
  put($("clock"), since === null ? "-" : seconds(Math.max(0, since)));
  put($("clock-of"), backAfter() !== null ? "all back after" : !isWatched() && mark("fault-healed") ? "fault until healed" : "since the fault");
  for (const item of $("workloads").children) against(item, isWatched() || since === null ? since : state.since_fault_s);
}
function drawSteps() {
  const list = $("steps"), found = steps();
  while (list.children.length < found.length) { const item = make("li"); item.dataset.far = ""; list.append(item); }
  found.forEach(([name, is], n) => {
    const item = list.children[n];
    put(item, is === "left out" ? name + " -" : name);
    item.dataset.is = is;
    if (is === "now") item.setAttribute("aria-current", "step"); else item.removeAttribute("aria-current");
  });
}
function workload(name) {
  const item = make("li");
  const title = make("h3", name), told = make("span", "", "told"), rate = make("span", "", "rate");
  for (const far of [title, told, rate]) far.dataset.far = "";
  const chart = document.createElementNS(SVG, "svg");
  chart.setAttribute("preserveAspectRatio", "none"); chart.setAttribute("aria-hidden", "true");
  for (const kind of ["area-good", "line-offered", "line-fault"]) { const path = document.createElementNS(SVG, "path"); path.setAttribute("class", kind); chart.append(path); }
  const bar = make("div", "", "against"); bar.setAttribute("aria-hidden", "true"); bar.append(make("span"));
  const headline = make("div", "", "head"); headline.append(title, told);
  item.append(headline, chart, rate, bar);
  item.dataset.name = name;
  return item;
}
function drawWorkloads() {
  const list = $("workloads"), names = state.rates.map(r => r.workload);
  if (names.length !== list.children.length || names.some((name, n) => list.children[n].dataset.name !== name)) list.replaceChildren(...names.map(workload));
  state.rates.forEach((rate, n) => {
    const item = list.children[n];
    item.rate = rate;
    const old = state.rates_age_s > 5 && !mark("load-stopped") && !isOver() ? " (" + plain(state.rates_age_s) + " ago)" : "";
    put(item.querySelector(".rate"), rate.good_per_s.toFixed(1) + " of " + rate.offered_per_s.toFixed(1) + " /s" + old);
    chart(item, n);
  });
  drawClock();
}
function against(item, since) {
  const rate = item.rate, target = rate.rto_target_s;
  let told = rate.well ? "served" : "hurt", word = rate.well ? "ok" : "hurt", used = 0;
  if (since !== null) {
    const until = rate.unwell_until_s, lost = !rate.well && since > target;
    used = rate.well ? (until || 0) / target : since / target;
    if (!rate.well) told = (lost ? "✗ over: " : isWatched() ? "▼ " : "▼ last seen: ") + plain(since) + " of " + plain(target);
    else if (until !== null) { told = (until > target ? "✗ late: " : "✓ back: ") + plain(until) + " of " + plain(target); word = until > target ? "hurt" : "ok"; }
    else told = "✓ not hurt";
  }
  put(item.querySelector(".told"), told); tone(item, word);
  const bar = item.querySelector(".against span"), width = (100 * Math.min(1, used)).toFixed(0) + "%";
  if (bar.style.width !== width) bar.style.width = width;
}
function chart(item, n) {
  const name = item.dataset.name, points = [];
  let top = 1;
  for (const [, rates] of looks) { const found = rates[n] && rates[n][0] === name ? rates[n] : null; points.push(found); if (found) top = Math.max(top, found[1], found[2]); }
  const width = Math.max(LOOKS_LEAST, points.length), begun = mark("load-begun"), fault = mark("fault-active");
  const x = i => width - points.length + i, y = v => (100 - 92 * v / top).toFixed(1);
  let line = "", area = "";
  points.forEach((p, i) => { if (p) line += (line ? "L" : "M") + x(i) + " " + y(p[1]); });
  points.forEach((p, i) => { area += (area ? "L" : "M") + x(i) + " " + y(p ? p[2] : 0); });
  if (area) area += "L" + x(points.length - 1) + " 100L" + x(0) + " 100Z";
  const hit = begun && fault ? looks.findIndex(([load_s]) => load_s - LAG_S >= fault.at_s - begun.at_s) : -1;
  const [good, offered, struck] = item.querySelectorAll("path");
  item.querySelector("svg").setAttribute("viewBox", "0 0 " + (width - 1) + " 100");
  good.setAttribute("d", area); offered.setAttribute("d", line); struck.setAttribute("d", hit < 0 ? "" : "M" + x(hit) + " 0V100");
}
function drawRails() {
  const rows = [];
  for (const rail of state.rails) {
    const value = make("dd", rail.told + (rail.limit ? " / " + rail.limit : ""), rail.used >= 1 ? "over" : rail.used >= .7 ? "near" : "");
    rows.push(make("dt", RAILS[rail.rail] || rail.rail), value);
  }
  if (!rows.length) rows.push(make("dt", state.run_id ? "watched while the load runs" : "-"));
  replaceWhenNew($("rails"), rows);
}
function drawLog() {
  const fault = mark("fault-active");
  const at = s => fault ? (s - fault.at_s < 0 ? "−" : "+") + Math.abs(s - fault.at_s).toFixed(1) + " s" : s.toFixed(1) + " s";
  const lines = [...state.marks.map(m => ({ s: m.at_s, what: setup.marks[m.name] || m.name, note: m.note })), ...state.said.map(l => ({ s: l.at_s, what: "", note: l.text }))];
  lines.sort((a, b) => b.s - a.s);
  replaceWhenNew($("log"), lines.slice(0, 40).map(line => {
    const item = make("li"), text = make("span");
    item.append(make("time", at(line.s)), text);
    if (line.what) text.append(make("span", line.what, "mark"));
    if (line.note) text.append((line.what ? ": " : "") + line.note);
    return item;
  }));
}
function replaceWhenNew(list, children) {
  const told = children.map(c => c.textContent + "\u0000" + c.className).join("\u0001");
  if (list.told === told) return;
  list.told = told; list.replaceChildren(...children);
}
// A sentence for who listens: when something has changed that matters, and not more often.
let lastSummary = "", lastSaidMs = 0;
function summarise(head, word) {
  const hurt = state.rates.filter(r => !r.well).map(r => r.workload);
  const told = head + (word === "hurt" && hurt.length ? ": " + hurt.join(", ") : "") + ".";
  if (told === lastSummary || (Date.now() - lastSaidMs < 4000 && state.alive)) return;
  lastSummary = told; lastSaidMs = Date.now();
  put($("summary"), told);
}
function nothing() {
  put($("state"), "No drill in progress"); put($("why"), "This page shows the next one as soon as it starts.");
  tone(document.body, "");
  for (const id of ["clock", "orders", "money"]) put($(id), "-");
  for (const id of ["steps", "workloads", "rails", "log"]) { $(id).replaceChildren(); $(id).told = ""; }
  put($("what"), "live"); put($("summary"), "No drill in progress.");
  drawButton();
}

// ---- the button
function drawButton() {
  const button = $("abort");
  if (!button) return;
  const on = state && state.run_id && state.alive && !state.verdict, stopped = on && (mark("interrupted") || pressed === state.run_id);
  button.disabled = !on || Boolean(stopped);
  put(button, stopped ? "Aborting" : "Abort");
}
if ($("abort")) {
  const ask = $("ask");
  $("abort").addEventListener("click", () => { ask.dataset.run = state.run_id; put($("ask-trouble"), ""); ask.showModal(); ($("who").value ? $("reason") : $("who")).focus(); });
  $("ask-no").addEventListener("click", () => ask.close());
  $("ask-form").addEventListener("submit", async event => {
    event.preventDefault();
    const run = ask.dataset.run;
    try {
      const answer = await fetch("/abort", {
        method: "POST",
        headers: { "Content-Type": "application/json", [setup.page_header]: setup.page_token },
        body: JSON.stringify({ run_id: run, who: $("who").value, why: $("reason").value, confirmed: true }),
      });
      if (!answer.ok) { put($("ask-trouble"), (await answer.json()).error); return; }
      pressed = run; ask.close(); drawButton();
    } catch { put($("ask-trouble"), "The server does not answer. Use `peakdrill abort`, or Ctrl-C where the drill runs."); }
  });
}

// ---- the stream
function heard(event) { streamMs = Date.now(); open = true; return JSON.parse(event.data); }
function listen() {
  const source = new EventSource("/events");
  source.addEventListener("history", event => { const told = heard(event); looks = told.looks; looksOf = told.run_id; });
  source.addEventListener("state", event => {
    state = heard(event); receivedMs = Date.now();
    if (!state.run_id) { nothing(); return; }
    if (looksOf !== state.run_id) { looks = []; looksOf = state.run_id; }
    const last = looks.length ? looks[looks.length - 1][0] : -1;
    if (state.load_s !== null && state.load_s > last) looks.push([state.load_s, state.rates.map(r => [r.workload, r.offered_per_s, r.good_per_s])]);
    looks = looks.slice(-LOOKS);
    draw();
  });
  source.addEventListener("open", () => { open = true; streamMs = Date.now(); broken(); });
  source.addEventListener("error", () => { open = false; broken(); if (source.readyState === EventSource.CLOSED) setTimeout(listen, 3000); });
}
function broken() {
  const quietMs = Date.now() - receivedMs, stale = state && state.run_id && state.alive && !state.verdict && quietMs > SILENT_MS;
  const told = !open ? "No connection to peakdrill serve: what you see may be old." : stale ? "The drill has told nothing for a while: what you see may be old." : "";
  put($("broken"), told); $("broken").hidden = !told;
}
async function enter(token) {
  history.replaceState(null, "", "/");
  const answer = await fetch("/login", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ token }) });
  if (answer.ok) location.reload();
  else { put($("broken"), (await answer.json()).error); $("broken").hidden = false; }
}
if (location.hash.length > 1) enter(decodeURIComponent(location.hash.slice(1)));
// No oftener than it can be read: the drill may run on the same processor.
else { listen(); setInterval(drawClock, calm.matches ? 1000 : 250); setInterval(broken, 1000); }

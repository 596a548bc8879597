// Live parts and replay. Every page can be read without this file.
"use strict";

// live fetches the page again when sessions have changed, and puts the parts
// that differ in place of the old ones. What a person has opened, focused or
// typed stays.
function live() {
  if (!document.body.hasAttribute("data-live")) return;
  const pulse = document.querySelector("[data-pulse]");
  let running = false, again = false;

  async function refresh() {
    if (running) { again = true; return; }
    running = true;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (answer.ok) replace(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch { /* the server is away: the stream says when it is back */ }
    running = false;
    if (again) { again = false; setTimeout(refresh, 500); }
  }

  const stream = new EventSource("/api/stream");
  stream.addEventListener("change", refresh);
  stream.addEventListener("open", () => { pulse.hidden = false; pulse.className = "pulse"; pulse.title = "live"; });
  stream.addEventListener("error", () => { pulse.className = "pulse away"; pulse.title = "connecting"; });
  addEventListener("pagehide", () => stream.close());
}

function replace(fresh) {
  if (document.querySelectorAll("[data-part]").length !== fresh.querySelectorAll("[data-part]").length) {
    const main = document.getElementById("main");
    if (!main.contains(document.activeElement)) main.replaceChildren(...fresh.getElementById("main").childNodes);
    replay();
    return;
  }
  for (const part of document.querySelectorAll("[data-part]")) {
    const next = fresh.querySelector(`[data-part="${part.dataset.part}"]`);
    if (!next || part.innerHTML === next.innerHTML || part.contains(document.activeElement) || document.querySelector(".replaying")) continue;
    const known = new Set([...part.querySelectorAll("[data-key]")].map((row) => row.dataset.key));
    for (const open of part.querySelectorAll("[id] > details[open]")) {
      next.querySelector(`#${CSS.escape(open.parentElement.id)} > details`)?.setAttribute("open", "");
    }
    for (const row of next.querySelectorAll("[data-key]")) {
      if (!known.has(row.dataset.key)) row.classList.add("new");
    }
    part.replaceChildren(...next.childNodes);
  }
}

// replay steps through a session's events in the order in which they began.
let stopReplay = () => {};
function replay() {
  stopReplay();
  const bar = document.querySelector("[data-replay]");
  if (!bar) return;
  const list = document.querySelector(".steps");
  if (!list) return;
  const state = document.querySelector("[data-replay-state]");
  const play = bar.querySelector('[data-step="play"]');
  const abort = new AbortController();
  let at = -1, timer = 0;
  const steps = () => [...list.isConnected ? list.querySelectorAll(".step") : document.querySelectorAll(".steps .step")];
  bar.hidden = false;
  document.querySelector("[data-replay-help]").hidden = false;

  function show(n) {
    const all = steps();
    at = Math.max(-1, Math.min(all.length - 1, n));
    document.querySelector(".steps").classList.toggle("replaying", at >= 0);
    all.forEach((step, i) => {
      step.classList.toggle("current", i === at);
      step.classList.toggle("later", i > at);
      if (i === at) step.setAttribute("aria-current", "step"); else step.removeAttribute("aria-current");
    });
    state.textContent = at < 0 ? "" : `${at + 1} of ${all.length}`;
    if (at >= 0) all[at].scrollIntoView({ block: "nearest" });
    if (at === all.length - 1) pause();
  }
  function pause() { clearInterval(timer); timer = 0; play.textContent = "▶ Replay"; play.setAttribute("aria-label", "Play"); }
  function toggle() {
    if (timer) { pause(); return; }
    if (at === steps().length - 1) show(-1);
    play.textContent = "❚❚ Pause"; play.setAttribute("aria-label", "Pause");
    show(at + 1);
    timer = setInterval(() => show(at + 1), 900);
  }
  const actions = {
    first: () => show(0), back: () => show(at - 1), play: toggle, on: () => show(at + 1), last: () => show(steps().length - 1),
  };
  bar.addEventListener("click", (event) => {
    const step = event.target.closest("[data-step]")?.dataset.step;
    if (!step) return;
    if (step !== "play") pause();
    actions[step]();
  }, { signal: abort.signal });
  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest("input, select, textarea, pre")) return;
    const onControl = event.target.closest("a, button, summary");
    const key = event.key;
    if (key === "ArrowRight") { pause(); show(at + 1); }
    else if (key === "ArrowLeft") { pause(); show(Math.max(0, at - 1)); }
    else if (key === "Home" && at >= 0) { pause(); show(0); }
    else if (key === "End" && at >= 0) { pause(); show(steps().length - 1); }
    else if (key === " " && !onControl) toggle();
    else if (key === "Enter" && !onControl && at >= 0) { const details = steps()[at].querySelector("details"); details.open = !details.open; }
    else if (key === "Escape" && at >= 0) { pause(); show(-1); }
    else return;
    event.preventDefault();
  }, { signal: abort.signal });
  stopReplay = () => { pause(); abort.abort(); };
}

// target opens the event that a link leads to.
function target() {
  const step = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const details = step && step.querySelector(":scope > details");
  if (details) { details.open = true; step.scrollIntoView({ block: "center" }); }
}

live();
replay();
target();
addEventListener("hashchange", target);

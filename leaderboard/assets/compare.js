/* The page that compares systems: what is chosen stands in the address, as #systems=A,B, so that
   it can be reloaded, shared and linked. */
"use strict";

(() => {
  const MOST = 5;
  const DESIGN = { seed: 0n, resamples: 100_000, alpha: 0.05 };
  const { load } = globalThis.babelboard;
  const { compareInSlices } = globalThis.babelboardSignificance;
  const { element } = globalThis.babelboardCharts;
  const { results } = globalThis.babelboardResults;

  const [tool, chosenList, candidates, addButton, status, progress, output] = [
    "compare", "chosen", "candidates", "add", "status", "progress", "results",
  ].map((id) => document.getElementById(id));
  const folder = `queries/${tool.dataset.task}`;

  let task;
  let byId;
  let chosen = [];
  let work = new AbortController();

  async function start() {
    tool.hidden = false;
    addButton.addEventListener("click", () => add(candidates.value));
    try {
      task = await load(`${folder}/systems`);
    } catch (error) {
      status.textContent = error.message;
      return;
    }
    byId = new Map(task.systems.map((system) => [system.id, system]));
    window.addEventListener("hashchange", readAddress);
    readAddress();
  }

  /* Without a choice in the address, the first two systems are shown. */
  function readAddress() {
    const named = new URLSearchParams(location.hash.slice(1)).get("systems");
    const ids = named === null ? task.systems.slice(0, 2).map(({ id }) => id) : named.split(",");
    const known = [...new Set(ids)].filter((id) => byId.has(id));
    const unknown = ids.filter((id) => id && !byId.has(id));
    chosen = known.slice(0, MOST);
    const left = known.length - chosen.length;
    refresh([
      unknown.length ? `Not among the systems of this task: ${unknown.join(", ")}.` : "",
      left ? `At most ${MOST} systems are compared at once; ${left} are left out.` : "",
    ].filter(Boolean).join(" "));
  }

  function choose(ids) {
    chosen = ids;
    // Replaced, not assigned: a choice is not a step back in the history.
    history.replaceState(null, "", `#${new URLSearchParams({ systems: ids.join(",") })}`);
    refresh("");
  }

  function add(id) {
    if (byId?.has(id) && !chosen.includes(id) && chosen.length < MOST) choose([...chosen, id]);
    (addButton.disabled ? chosenList.querySelector("button") : candidates).focus();
  }

  function remove(place) {
    choose(chosen.filter((_, i) => i !== place));
    const buttons = chosenList.querySelectorAll("button");
    (buttons[Math.min(place, buttons.length - 1)] ?? candidates).focus();
  }

  function refresh(remark) {
    chosenList.replaceChildren(...chosen.map((id, place) => {
      const system = byId.get(id);
      const button = element("button", { type: "button", "aria-label": `Remove ${system.name}` }, "\u00d7");
      button.addEventListener("click", () => remove(place));
      const link = `../entries/${encodeURIComponent(id)}.html`;
      return element("li", {},
        element("a", { href: link }, element("bdi", {}, system.name)), " ", button);
    }));
    const rest = task.systems.filter(({ id }) => !chosen.includes(id));
    candidates.replaceChildren(...rest.map(({ id, name }) => element("option", { value: id }, name)));
    const isFull = chosen.length === MOST || rest.length === 0;
    candidates.disabled = isFull;
    addButton.disabled = isFull;
    update(remark);
  }

  /* Compares what is chosen; what is still computed for an earlier choice ends. */
  async function update(remark) {
    work.abort();
    work = new AbortController();
    const { signal } = work;
    output.replaceChildren();
    progress.hidden = true;
    if (chosen.length < 2) {
      say(remark, "Choose at least two systems.");
      return;
    }
    const systems = chosen.map((id) => byId.get(id));
    say(remark, "Comparing\u2026");
    try {
      const scores = await scoresOf(systems);
      signal.throwIfAborted();
      progress.value = 0;
      progress.hidden = false;
      const onProgress = (share) => { progress.value = share; };
      const tests = await compareInSlices(scores, DESIGN, { onProgress, signal });
      const found = { tests, systems, task, scores, design: DESIGN, command: commandOf(systems) };
      output.replaceChildren(results(found));
      progress.hidden = true;
      say(remark, `${document.getElementById("findings").textContent}.`);
      // Those who see the page read it in the heading.
      status.classList.toggle("unseen", !remark);
    } catch (error) {
      if (signal.aborted) return;
      progress.hidden = true;
      say(remark, error.message);
    }
  }

  function say(...sentences) {
    status.classList.remove("unseen");
    status.textContent = sentences.filter(Boolean).join(" ");
  }

  /* The scores of the systems on all questions, in the form that significance.js takes. */
  async function scoresOf(systems) {
    const parts = Array.from({ length: task.parts }, (_, i) => `${folder}/${i + 1}`);
    const files = (name) => Promise.all(parts.map((part) => load(`${part}/${name}`)));
    const [questions, ...shards] = await Promise.all([
      files("questions"), ...systems.map(({ id }) => files(`scores/${id}`)),
    ]);
    const settings = Object.keys(task.classes);
    // A mean over seeds is on a lattice that is finer by their number.
    const seeds = leastCommonMultiple(Math.max(...systems.map((system) => system.seeds.length)));
    return {
      systems: systems.map(({ id }) => id),
      settings,
      questions: questions.flat(),
      averagedOver: settings.map((setting) => task.classes[setting] * seeds),
      values: settings.map((setting) => shards.map((found) =>
        joined(found.map((part) => decoded(part[setting]))))),
    };
  }

  /* Of 1, 2, ..., most. */
  function leastCommonMultiple(most) {
    const divisor = (a, b) => (b ? divisor(b, a % b) : a);
    let multiple = 1;
    for (let i = 2; i <= most; i++) multiple *= i / divisor(multiple, i);
    return multiple;
  }

  /* The scores that leaderboard/question_shards.py encoded. */
  function decoded(text) {
    const planes = atob(text);
    const count = planes.length / 8;
    const bytes = new DataView(new ArrayBuffer(planes.length));
    for (let i = 0; i < planes.length; i++) {
      bytes.setUint8(8 * (i % count) + Math.floor(i / count), planes.charCodeAt(i));
    }
    return Float64Array.from({ length: count }, (_, i) => bytes.getFloat64(8 * i, true));
  }

  function joined(arrays) {
    const whole = new Float64Array(arrays.reduce((total, one) => total + one.length, 0));
    let start = 0;
    for (const one of arrays) {
      whole.set(one, start);
      start += one.length;
    }
    return whole;
  }

  function commandOf(systems) {
    const hasSeeds = systems.some(({ seeds }) => seeds.length > 1);
    const sources = systems.map(({ id, seeds }) =>
      (seeds.length > 1 ? `${id}=${seeds.join(",")}` : seeds[0]));
    const test = hasSeeds ? " --test sign-flip" : "";
    return `babelboard compare ${sources.join(" ")} --task ${task.task}${test}`;
  }

  start();
})();

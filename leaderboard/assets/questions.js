/* The page of questions: what is chosen stands in the address, as ?q=ID&systems=A,B&show=clir, so
   that it can be reloaded, shared and linked. */
"use strict";

(() => {
  const MOST_SYSTEMS = 5;
  const MOST_MATCHES = 8;
  const MOST_CANDIDATES = 100;
  const MOST_QUOTED = 80;
  const { load } = globalThis.babelboard;
  const { ranksOf, partOf } = globalThis.babelboardRanks;
  const { KINDS, POOL, element, partsOf, tables, legend } = globalThis.babelboardQuestionTables;
  const { asked, parallel } = globalThis.babelboardQuestionTexts;

  const [tool, search, matchList, show, candidate, candidates, addButton, chosenList, status,
    previous, next, place, title, askedBox, ranksBox, parallelBox] = [
    "questions", "search", "matches", "show", "candidate", "candidates", "add", "chosen", "status",
    "previous", "next", "place", "question-title", "asked", "ranks", "parallel",
  ].map((id) => document.getElementById(id));
  const task = tool.dataset.task;
  const folder = `questions/${task}`;

  let index;
  let ids;
  let places;
  let systems;
  let byId;
  let views;
  let state;
  let turn = 0;

  async function start() {
    tool.hidden = false;
    try {
      index = await load(`${folder}/index`);
      [ids, systems] = await Promise.all([partsOfKind("ids"), partsOfKind("systems")]);
    } catch (error) {
      status.textContent = error.message;
      return;
    }
    places = new Map(ids.map((id, i) => [id, i]));
    byId = new Map(systems.map((system) => [system.id, system]));
    views = viewsOf(index.settings);
    show.replaceChildren(...[...views].map(([value, words]) => element("option", { value }, words)));
    listen();
    readAddress();
  }

  async function partsOfKind(kind) {
    const numbers = Array.from({ length: index.parts[kind] }, (_, i) => i + 1);
    return (await Promise.all(numbers.map((number) => load(`${folder}/${kind}/${number}`)))).flat();
  }

  /* What can be shown, in words: a class, or one query language. */
  function viewsOf(settings) {
    const sides = settings.map(partsOf);
    const kinds = Object.keys(KINDS).filter((kind) => sides.some((one) => one.kind === kind));
    const codes = [...new Set(sides.flatMap(({ query, document }) => [query, document]))]
      .filter((code) => code !== POOL)
      .sort((a, b) => named(a).localeCompare(named(b), "en"));
    return new Map([
      ...kinds.map((kind) => [kind, `${KINDS[kind]}, all languages`]),
      ...codes.map((code) => [`from-${code}`, `Questions in ${named(code)}`]),
    ]);
  }

  function named(code) {
    return index.languages[code] ?? code;
  }

  function listen() {
    previous.addEventListener("click", () => step(-1));
    next.addEventListener("click", () => step(1));
    show.addEventListener("change", () => choose({ show: show.value }));
    search.addEventListener("input", findQuestions);
    search.addEventListener("keydown", async (event) => {
      if (event.key === "Enter") {
        await findQuestions(); // which may still be reading texts
        matchList.querySelector("button")?.click();
      }
      if (event.key === "Escape") closeMatches();
    });
    candidate.addEventListener("input", listCandidates);
    candidate.addEventListener("keydown", (event) => { if (event.key === "Enter") add(); });
    addButton.addEventListener("click", add);
    window.addEventListener("popstate", readAddress);
    for (const link of document.querySelectorAll("a[data-question]")) {
      link.addEventListener("click", (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        const { question, systems: named } = link.dataset;
        choose({ question, ...(named && { chosen: named.split(",") }) });
        title.focus();
      });
    }
  }

  /* What the address does not say, or says wrongly, is as on a first visit. */
  function readAddress() {
    const said = new URLSearchParams(location.search);
    const remarks = [];
    const first = places.has(tool.dataset.first) ? tool.dataset.first : ids[0];
    let question = said.get("q") ?? first;
    if (!places.has(question)) {
      remarks.push(`Not a question of this task: ${quoted(question)}.`);
      question = first;
    }
    const usual = views.has(tool.dataset.show) ? tool.dataset.show : [...views.keys()][0];
    let view = said.get("show") ?? usual;
    if (!views.has(view)) {
      remarks.push(`Not something to show: ${quoted(view)}.`);
      view = usual;
    }
    const wanted = said.get("systems")?.split(",").filter(Boolean) ?? systems.slice(0, 2).map(({ id }) => id);
    const known = [...new Set(wanted)].filter((id) => byId.has(id));
    const unknown = wanted.filter((id) => !byId.has(id));
    if (unknown.length) remarks.push(`Not among the systems of this task: ${unknown.map(quoted).join(", ")}.`);
    const left = known.length - MOST_SYSTEMS;
    if (left > 0) remarks.push(`At most ${MOST_SYSTEMS} systems are shown at once; ${left} are left out.`);
    state = { question, show: view, chosen: known.slice(0, MOST_SYSTEMS) };
    refresh(remarks);
  }

  /* Part of an address within a sentence, whose direction it must not change. */
  function quoted(text) {
    return `\u2068${text.slice(0, MOST_QUOTED)}\u2069`;
  }

  function choose(change) {
    state = { ...state, ...change };
    const said = new URLSearchParams({ q: state.question, show: state.show });
    // A comma need not be escaped, and an address is read by people.
    const names = state.chosen.map(encodeURIComponent).join(",");
    // Replaced, not assigned: a choice is not a step back in the history.
    history.replaceState(null, "", `?${said}&systems=${names}`);
    refresh([]);
  }

  function step(by) {
    const question = ids[places.get(state.question) + by];
    if (question === undefined) return;
    choose({ question });
    if (previous.disabled || next.disabled) (previous.disabled ? next : previous).focus();
  }

  function refresh(remarks) {
    const at = places.get(state.question);
    place.textContent = `${(at + 1).toLocaleString("en")} of ${ids.length.toLocaleString("en")}`;
    previous.disabled = at === 0;
    next.disabled = at === ids.length - 1;
    show.value = state.show;
    title.replaceChildren("Question ", element("bdi", {}, state.question));
    listChosen();
    listCandidates();
    update(remarks);
  }

  function listChosen() {
    chosenList.replaceChildren(...state.chosen.map((id, i) => {
      const { name } = byId.get(id);
      const button = element("button", { type: "button", "aria-label": `Remove ${name}` }, "\u00d7");
      button.addEventListener("click", () => {
        choose({ chosen: state.chosen.filter((one) => one !== id) });
        const buttons = chosenList.querySelectorAll("button");
        (buttons[Math.min(i, buttons.length - 1)] ?? candidate).focus();
      });
      const href = `../entries/${encodeURIComponent(id)}.html`;
      return element("li", {}, element("a", { href }, element("bdi", {}, name)), " ", button);
    }));
    const isFull = state.chosen.length === MOST_SYSTEMS || state.chosen.length === systems.length;
    candidate.disabled = isFull;
    addButton.disabled = isFull;
  }

  /* Systems whose id or name has what was typed, without those that are shown. */
  function typed() {
    const wanted = candidate.value.trim().toLowerCase();
    const rest = systems.filter(({ id }) => !state.chosen.includes(id));
    const exact = rest.filter(({ id, name }) => [id, name.toLowerCase()].includes(wanted));
    const having = rest.filter(({ id, name }) => `${id} ${name.toLowerCase()}`.includes(wanted));
    return exact.length ? exact : having;
  }

  function listCandidates() {
    const found = typed().slice(0, MOST_CANDIDATES);
    candidates.replaceChildren(...found.map(({ id, name }) => element("option", { value: id }, name)));
  }

  function add() {
    const found = typed();
    if (!candidate.value.trim() || state.chosen.length === MOST_SYSTEMS) return;
    if (found.length !== 1) {
      say(found.length
        ? [`${found.length} systems have "${candidate.value}" in their name or id: type more of it.`]
        : [`No other system has "${candidate.value}" in its name or id.`]);
      return;
    }
    candidate.value = "";
    choose({ chosen: [...state.chosen, found[0].id] });
    (candidate.disabled ? chosenList.querySelector("button") : candidate).focus();
  }

  /* Questions whose id has what was typed, or whose text in one language has all words of it. */
  async function findQuestions() {
    const words = search.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    if (!words.length) {
      closeMatches();
      return;
    }
    const typedText = search.value;
    let texts;
    try {
      texts = await partsOfKind("texts");
    } catch (error) {
      say([error.message]);
      return;
    }
    if (search.value !== typedText) return;
    const has = (text) => words.every((word) => text.toLowerCase().includes(word));
    const inTexts = new Map(texts.flatMap(({ question, queries }) => {
      const codes = Object.keys(queries).sort((a, b) => (b === "en") - (a === "en"));
      const code = codes.find((one) => has(queries[one]));
      return code ? [[question, { code, text: queries[code] }]] : [];
    }));
    const found = ids.filter((id) => has(id) || inTexts.has(id));
    found.sort((a, b) => (b === typedText.trim()) - (a === typedText.trim()));
    matchList.hidden = false;
    matchList.replaceChildren(...found.slice(0, MOST_MATCHES).map((id) => {
      const button = element("button", { type: "button" }, element("bdi", { class: "id" }, id));
      const text = inTexts.get(id);
      if (text) button.append(" ", element("span", { lang: text.code, dir: "auto" }, text.text));
      button.addEventListener("click", () => {
        search.value = "";
        closeMatches();
        choose({ question: id });
        title.focus();
      });
      return element("li", {}, button);
    }));
    const some = found.length > MOST_MATCHES ? `, the first ${MOST_MATCHES} are listed` : "";
    say([found.length ? `${found.length.toLocaleString("en")} found${some}.` : "No question has this."]);
  }

  function closeMatches() {
    matchList.hidden = true;
    matchList.replaceChildren();
  }

  /* Reads and shows what is chosen; what is still being read for an earlier choice is not shown. */
  async function update(remarks) {
    const mine = ++turn;
    const { question, show: view } = state;
    const shown = state.chosen.map((id) => byId.get(id));
    try {
      const [texts, ...found] = await Promise.all([
        textsOf(question),
        ...shown.map(({ seeds }) =>
          ranksOf(question, { load, folder: `ranks/${task}/${seeds[0]}`, places })),
      ]);
      if (mine !== turn) return;
      const ranked = shown.map((system, i) => ({ ...system, ...found[i] }));
      const made = tables(view, ranked, index.languages);
      askedBox.replaceChildren(...asked(texts, view));
      ranksBox.replaceChildren(...made, ...(made.length ? [legend(ranked)] : []), ...seedNotes(shown));
      parallelBox.replaceChildren(...parallel(texts, ranked, index.languages));
      if (!shown.length) remarks.push("Choose at least one system.");
      else if (!made.length) remarks.push(`None of these systems has ranks for ${question} here: ${views.get(view)}.`);
      say(remarks, `Question ${question}, ${place.textContent}.`);
    } catch (error) {
      if (mine !== turn) return;
      for (const box of [askedBox, ranksBox, parallelBox]) box.replaceChildren();
      say([...remarks, error.message]);
    }
  }

  async function textsOf(question) {
    const number = partOf(question, index.starts, places);
    const part = number ? await load(`${folder}/texts/${number}`) : [];
    return part.find((found) => found.question === question) ?? null;
  }

  function seedNotes(shown) {
    return shown.filter(({ seeds }) => seeds.length > 1).map(({ name, seeds }) =>
      element("p", { class: "note" }, element("bdi", {}, name),
        ` has ${seeds.length} seeds; these are the ranks of the first, `, element("code", {}, seeds[0]), "."));
  }

  /* Remarks are for all; without any, only screen readers are told what the page shows now. */
  function say(remarks, otherwise = "") {
    status.textContent = remarks.length ? remarks.join(" ") : otherwise;
    status.classList.toggle("unseen", !remarks.length);
  }

  start();
})();

/* Tables of the ranks of one question: names and ids only ever become text. */
"use strict";

globalThis.babelboardQuestionTables = (() => {
  const KINDS = { moir: "MoIR", clir: "CLIR", mlir: "MLIR" };
  const POOL = "xx";
  const ALONE = "alone";
  /* The last rank of each colour. */
  const SHADES = [[1, "s8"], [3, "s5"], [10, "s3"], [100, "s1"], [Infinity, "s0"]];
  /* By how many ranks two systems differ from where on a colour holds. */
  const STEPS = [1, 10, 100];

  /* An element with attributes and children; a text becomes a text node. */
  function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }

  function partsOf(setting) {
    const [kind, sides] = setting.split("/");
    const [query, ...rest] = sides.split("-");
    return { kind, query, document: rest.join("-") };
  }

  /* The tables of a question.

     show: "moir", "clir", "mlir", or "from-" and a query language;
     systems: [{name, pools, cells}] with what question_ranks.js found; languages: names by code. */
  function tables(show, systems, languages) {
    const found = systems.map((system) => groupsOf(show, system));
    const keys = [...new Set(found.flatMap((groups) => [...groups.keys()]))];
    return keys.map((key) => {
      const cells = found.map((groups) => groups.get(key)?.cells ?? new Map());
      const { isFlat } = found.find((groups) => groups.has(key)).get(key);
      return group({ key, show, isFlat, cells, systems, languages });
    });
  }

  /* What stands in one table: by key, its cells by query and document language. */
  function groupsOf(show, { pools, cells }) {
    const groups = new Map();
    for (const { setting, query, documents } of cells) {
      const sides = partsOf(setting);
      if (show.startsWith("from-") ? query !== show.slice(5) : sides.kind !== show) continue;
      const key = keyOf(sides);
      const isFlat = show === "moir" || show.startsWith("from-");
      if (!groups.has(key)) groups.set(key, { isFlat, cells: new Map() });
      for (const found of documents) {
        const place = `${query} ${found.language}`;
        const cell = groups.get(key).cells.get(place) ?? { pool: pools[setting], documents: [] };
        cell.documents.push(found);
        groups.get(key).cells.set(place, cell);
      }
    }
    return groups;
  }

  function keyOf({ kind, query, document }) {
    if (kind !== "mlir") return ALONE;
    return query === POOL ? `${POOL}-${document}` : `-${document}`;
  }

  function titleOf({ key, show, languages }) {
    if (key === ALONE) {
      if (show === "moir") return "MoIR: question and passages in the same language";
      if (show === "clir") return "CLIR: question and passages in two languages";
      return "MoIR and CLIR: passages of each language by themselves";
    }
    const [query, document] = key.split("-");
    const passages = document === POOL ? "passages of all languages in one pool"
      : `passages in ${languages[document] ?? document}`;
    return `MLIR: ${query === POOL ? "questions of all languages, " : ""}${passages}`;
  }

  /* The best rank of a cell; 0 if nothing was retrieved, null if there is no such cell. */
  function best(cell) {
    if (!cell) return null;
    const ranks = cell.documents.map(({ rank }) => rank).filter(Boolean);
    return ranks.length ? Math.min(...ranks) : 0;
  }

  function group(shown) {
    const { cells, systems, languages, isFlat, show } = shown;
    const places = [...new Set(cells.flatMap((found) => [...found.keys()]))].map((key) => key.split(" "));
    const ordered = (codes) => [...new Set(codes)].sort((a, b) =>
      (languages[a] ?? a).localeCompare(languages[b] ?? b, "en"));
    const queries = ordered(places.map(([query]) => query));
    const documents = ordered(places.map(([, document]) => document));
    const at = (system, query, document) => cells[system].get(`${query} ${document}`);
    const title = titleOf(shown);
    const section = element("section", { class: "group" }, element("h3", {}, title));
    const isPair = systems.length === 2;
    if (isFlat) {
      const rows = show === "moir" ? queries.map((code) => [code, code])
        : documents.map((code) => [queries[0], code]);
      section.append(flat(title, rows, at, shown));
    } else {
      const matrices = systems.map((system, i) => matrix(
        { title: `${title}, ${i + 1}`, caption: [name(system)], facts: summary(cells[i]) },
        queries, documents, languages,
        (query, document) => rankCell(at(i, query, document), query, document, languages)));
      if (isPair) {
        matrices.push(matrix(
          { title: `${title}, difference`, facts: "",
            caption: [name(systems[0]), " against ", name(systems[1])] },
          queries, documents, languages,
          (query, document) => differenceCell(at(0, query, document), at(1, query, document))));
      }
      section.append(element("div", { class: "matrices" }, ...matrices));
    }
    return section;
  }

  function name(system) {
    return element("bdi", {}, system.name);
  }

  function side(code, languages) {
    return [
      element("span", { class: "name" }, languages[code] ?? code),
      element("span", { class: "code" }, code),
    ];
  }

  /* Query languages by document languages. */
  function matrix({ title, caption, facts }, queries, documents, languages, cell) {
    const head = documents.map((code) => element("th", { scope: "col" }, ...side(code, languages)));
    const rows = queries.map((query) => element("tr", {},
      element("th", { scope: "row" }, ...side(query, languages)),
      ...documents.map((document) => cell(query, document))));
    return scrolled(title,
      element("table", { class: "map ranks" },
        element("caption", {}, element("span", {}, ...caption),
          element("span", { class: "facts" }, facts)),
        element("thead", {}, element("tr", {},
          element("td", {}, element("span", { class: "unseen" }, "Question in, passages in")), ...head)),
        element("tbody", {}, ...rows)));
  }

  function scrolled(label, table) {
    const attributes = { class: "scroll", role: "region", "aria-label": label, tabindex: "0" };
    return element("div", attributes, table);
  }

  /* A row for each language, a column for each system. */
  function flat(title, rows, at, { systems, languages, show }) {
    const isPair = systems.length === 2;
    const heads = systems.map((system) => element("th", { scope: "col" }, name(system)));
    if (isPair) heads.push(element("th", { scope: "col" }, "Difference"));
    const body = rows.map(([query, document]) => {
      const cells = systems.map((_, i) => at(i, query, document));
      const drawn = cells.map((cell) => rankCell(cell, query, document, languages));
      if (isPair) drawn.push(differenceCell(...cells));
      return element("tr", {}, element("th", { scope: "row" }, languages[document] ?? document), ...drawn);
    });
    const corner = show === "moir" ? "Language" : "Passages in";
    return scrolled(title,
      element("table", { class: "map ranks flat" },
        element("thead", {}, element("tr", {}, element("th", { scope: "col" }, corner), ...heads)),
        element("tbody", {}, ...body)));
  }

  function rankCell(cell, query, document, languages) {
    const rank = best(cell);
    if (rank === null) return element("td", { class: "none" });
    const names = [query, document].map((code) => languages[code] ?? code);
    const ranks = cell.documents.map((found) => `${found.id}: ${inWords(found.rank)}`).join(", ");
    const title = `${names[0]} to ${names[1]}, ${count(cell.pool)} ranked. ${ranks}`;
    const shade = rank ? SHADES.find(([upTo]) => rank <= upTo)[1] : "even";
    const same = query === document ? " same" : "";
    return element("td", { class: `${shade}${same}`, title, "data-query": query, "data-document": document },
      ...(rank ? [count(rank)] : dash("not retrieved")),
      ...(rank === 1 ? [element("span", { class: "mark", "aria-hidden": "true" }, "\u25cf")] : []));
  }

  /* How many ranks the first of two systems is before the second. */
  function differenceCell(first, second) {
    const [a, b] = [best(first), best(second)];
    if (a === null || b === null) return element("td", { class: "none" });
    if (a === 0 && b === 0) return element("td", { class: "even" }, ...dash("neither retrieves it"));
    if (a === b) {
      return element("td", { class: "even" }, element("span", { "aria-hidden": "true" }, "="),
        element("span", { class: "unseen" }, "the same rank"));
    }
    const isFirst = b === 0 || (a !== 0 && a < b);
    const isOnly = a === 0 || b === 0;
    const steps = isOnly ? STEPS.length : STEPS.filter((step) => Math.abs(a - b) >= step).length;
    const who = isFirst ? "first" : "second";
    return element("td", { class: `${isFirst ? "up" : "down"}${steps}` },
      element("span", { "aria-hidden": "true" }, isFirst ? "\u25b2\u2009" : "\u25bc\u2009"),
      element("span", { class: "unseen" }, isOnly ? `${who} ` : `${who} ahead by `),
      isOnly ? "only" : count(Math.abs(a - b)));
  }

  function dash(words) {
    return [
      element("span", { "aria-hidden": "true" }, "\u2013"),
      element("span", { class: "unseen" }, words),
    ];
  }

  function inWords(rank) {
    return rank ? count(rank) : "not retrieved";
  }

  function count(value) {
    return value.toLocaleString("en");
  }

  /* How a system does in all cells, in words. */
  function summary(cells) {
    const ranks = [...cells.values()].map(best);
    if (!ranks.length) return "no ranks for this question";
    const among = (upTo) => ranks.filter((rank) => rank && rank <= upTo).length;
    const missed = ranks.filter((rank) => !rank).length;
    return `rank 1 in ${among(1)} of ${ranks.length}, first ten in ${among(10)}` +
      (missed ? `, not retrieved in ${missed}` : "");
  }

  /* What the signs and colours of the tables mean. */
  function legend(systems) {
    const shades = [["s8", "\u25cf rank 1"], ["s5", "2 and 3"], ["s3", "4 to 10"], ["s1", "11 to 100"],
      ["s0", "101 and later"]];
    const keys = [element("ul", { class: "legend marks" },
      ...shades.map(([shade, words]) => element("li", {}, element("i", { class: shade }), words)),
      element("li", {}, "\u2013 not retrieved"))];
    if (systems.length === 2) {
      const [first, second] = systems;
      keys.push(element("ul", { class: "legend marks pair" },
        element("li", {}, element("i", { class: "up2" }), "\u25b2 ", name(first), " ranks it higher, by so many ranks"),
        element("li", {}, element("i", { class: "down2" }), "\u25bc ", name(second), " does"),
        element("li", {}, "= the same rank"),
        element("li", {}, "only: the other does not retrieve it")));
    }
    return element("div", { class: "keys" }, ...keys);
  }

  return Object.freeze({ KINDS, POOL, element, partsOf, tables, legend });
})();

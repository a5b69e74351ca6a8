/* The rows of a table of systems: those that the page has, or, where it has not all of them, those
   of the scripts in data/index/. A row is {place, keys, facets, element()}: keys are what it is
   sorted by, facets what it is narrowed down by. */
"use strict";

globalThis.boardRows = (() => {
  const SVG = "http://www.w3.org/2000/svg";
  const UNKNOWN = "";

  /* From the attributes of the rows on the page. */
  function ofPage(table, facets) {
    return Array.from(table.tBodies[0].rows, (row) => {
      const keys = {};
      for (const header of headers(table)) {
        const { key } = header.dataset;
        const value = row.dataset[`v${key}`];
        keys[key] = key === "name" || value === UNKNOWN ? value : Number(value);
      }
      return {
        place: Number(row.dataset.place),
        keys,
        facets: Object.fromEntries(facets.map(({ key }) => [key, row.dataset[`f${key}`]])),
        element: () => row,
      };
    });
  }

  /* From scripts; a promise. The first row of the page is the pattern of all others. */
  async function ofIndex(table, facets) {
    const folder = `index/${table.dataset.index}`;
    const columns = headers(table).filter((header) => header.dataset.unit);
    const pattern = table.tBodies[0].rows[0].cloneNode(true);
    const main = table.dataset.sort;
    const [systems, ...units] = await Promise.all(
      [`${folder}/systems`, ...columns.map(({ dataset }) => `${folder}/${dataset.unit}`)].map(whole)
    );
    const rows = systems.id.map((id, at) => ({
      id,
      about: systems.about[at],
      name: systems.name[at],
      distance: systems.distance[at],
      scores: {},
      keys: {
        name: systems.name[at].toLowerCase(),
        distance: systems.distance[at] === null ? UNKNOWN : number(systems.distance[at]),
      },
      facets: Object.fromEntries(
        facets.map(({ key }) => [key, systems.facets[key].answers[systems.facets[key].codes[at]]])
      ),
    }));
    columns.forEach(({ dataset }, column) => {
      const unit = units[column];
      unit.system.forEach((at, place) => {
        const row = rows[at];
        // Better is larger, and the order of the script is finer than the numbers that it shows.
        row.keys[dataset.key] = unit.system.length - place;
        row.scores[dataset.key] = { score: unit.score[place], letters: unit.letters[place] };
        if (dataset.key === main) {
          row.place = place + 1;
          row.standing = {
            ranks: unit.ranks[place],
            change: unit.change[place],
            half: place > 0 ? unit.half : UNKNOWN,
            at: unit.at[place],
            width: place > 0 ? unit.width : null,
          };
        }
      });
    });
    for (const row of rows) {
      let made = null;
      row.element = () => (made ??= drawn(row, pattern));
    }
    return rows.filter((row) => row.place);
  }

  /* All parts of a script, its lists put together. */
  async function whole(name) {
    const first = await babelboard.load(`${name}/1`);
    const others = Array.from({ length: first.parts - 1 }, (_, at) =>
      babelboard.load(`${name}/${at + 2}`)
    );
    return [first, ...(await Promise.all(others))].reduce(joined);
  }

  function joined(a, b) {
    const both = { ...a };
    for (const [key, value] of Object.entries(a)) {
      if (Array.isArray(value)) both[key] = value.concat(b[key]);
    }
    if (a.facets) {
      both.facets = {};
      for (const [key, { answers, codes }] of Object.entries(a.facets)) {
        const more = b.facets[key];
        both.facets[key] = {
          answers: answers.concat(more.answers),
          codes: codes.concat(more.codes.map((code) => code + answers.length)),
        };
      }
    }
    both.half = a.half || b.half;
    both.width = a.width ?? b.width;
    return both;
  }

  function drawn(row, pattern) {
    const made = pattern.cloneNode(true);
    const [place, name, ...cells] = made.cells;
    place.textContent = row.place;
    const link = name.querySelector("a");
    link.setAttribute("href", link.getAttribute("href").replace(/entries\/[^/]+\.html/, `entries/${row.id}.html`));
    link.querySelector("bdi").textContent = row.name;
    name.querySelector(".facts").textContent = row.about;
    cells.forEach((cell, at) => {
      const key = cell.dataset.column;
      if (key === "distance") cell.textContent = row.distance ?? "–";
      else if (key) fillScore(cell, row.scores[key]);
      else if (cell.classList.contains("picture")) drawInterval(cell, row.standing);
      else if (cells[at + 1]?.classList.contains("picture")) cell.textContent = row.standing.ranks;
      else fillChange(cell, row.standing);
    });
    return made;
  }

  function fillScore(cell, found) {
    cell.textContent = found ? `${found.score} ` : "–";
    if (found) cell.append(span("letters", found.letters));
  }

  function fillChange(cell, { change, half }) {
    cell.textContent = half ? `${change} ` : change;
    if (half) cell.append(span("half", half));
  }

  /* The numbers beside it say the same. */
  function drawInterval(cell, { at, width }) {
    const svg = cell.querySelector("svg");
    svg.setAttribute("aria-hidden", "true");
    svg.removeAttribute("role");
    svg.removeAttribute("aria-label");
    svg.querySelector("title")?.remove();
    svg.querySelector(".span")?.remove();
    const circle = svg.querySelector("circle");
    circle.setAttribute("cx", at);
    if (width !== null) {
      const path = document.createElementNS(SVG, "path");
      path.setAttribute("class", "span");
      path.setAttribute("d", `M${at - width} ${circle.getAttribute("cy")}H${at + width}`);
      circle.before(path);
    }
  }

  function span(name, text) {
    const made = document.createElement("span");
    made.className = name;
    made.textContent = text;
    return made;
  }

  function headers(table) {
    return Array.from(table.tHead.querySelectorAll("th[data-key]"));
  }

  function number(text) {
    return Number(text.replace(/,/g, ""));
  }

  return Object.freeze({ headers, ofIndex, ofPage });
})();

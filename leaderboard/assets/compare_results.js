/* What a comparison found, in words, charts and numbers. */
"use strict";

globalThis.babelboardResults = (() => {
  const { element, plain, scaleOf, forest, leads, scatter } = globalThis.babelboardCharts;
  const CLASSES = { moir: "MoIR", clir: "CLIR", mlir: "MLIR" };

  /* The elements of a comparison.

     found: {tests: from significance.js, systems: those that were chosen, with id, name and seeds;
       task: what systems.js says of it; scores: what was compared; design; command}. */
  function results(found) {
    const scale = scaleOf(found.tests);
    const isPair = found.systems.length === 2;
    const rows = found.tests.map((test) => rowOf(test, found, isPair));
    const parts = [
      element("h2", { id: "findings" }, ...headline(rows, found)),
      element("p", { class: "note" }, ...explanation(found)),
    ];
    if (isPair) {
      const sides = [["\u2190 ", name(found, 1), " higher"], [name(found, 0), " higher \u2192"]];
      parts.push(forest(`Difference in ${found.task.measure}`, rows, scale, sides));
    } else {
      const sides = [["\u2190 second higher"], ["first higher \u2192"]];
      for (const setting of found.scores.settings) {
        const here = rows.filter((row) => row.test.setting === setting);
        const caption = `${CLASSES[setting]}: difference in ${found.task.measure}`;
        parts.push(forest(caption, here, scale, sides));
      }
    }
    parts.push(element("h3", { id: "tests-title" }, "Tests"), table(rows, isPair));
    if (isPair) parts.push(...planes(rows, found));
    parts.push(
      element("h3", {}, "The same in a terminal"),
      element("pre", {}, element("code", { id: "command" }, found.command)),
    );
    return element("section", { "aria-labelledby": "findings" }, ...parts);
  }

  function name(found, place) {
    return element("bdi", {}, found.systems[place].name);
  }

  function rowOf(test, found, isPair) {
    const [a, b] = [test.a, test.b].map((id) => found.systems.findIndex((one) => one.id === id));
    const pair = () => element("span", {}, name(found, a), " \u2212 ", name(found, b));
    const label = () => (isPair ? document.createTextNode(CLASSES[test.setting]) : pair());
    return { test, a, b, label: label(), again: label(), verdict: verdictOf(test, found, a, b) };
  }

  /* Colour, mark and words: blue and orange say which of the two is higher, not which is better. */
  function verdictOf(test, found, a, b) {
    const isSeparated = test.p_adjusted < found.design.alpha && test.difference !== 0;
    if (!isSeparated) return { isSeparated, colour: "grey", words: "not separated" };
    const isFirst = test.difference > 0;
    const winner = isFirst === found.task.higher_is_better ? a : b;
    const words = element("span", {}, name(found, winner), " is better");
    return { isSeparated, winner, colour: isFirst ? "blue" : "orange", words };
  }

  /* The answer in a sentence. */
  function headline(rows, found) {
    const separated = rows.filter((row) => row.verdict.isSeparated);
    if (found.systems.length > 2) {
      return [`${separated.length} of ${rows.length} differences are separated`];
    }
    const said = [];
    for (const winner of [0, 1]) {
      const classes = separated.filter((row) => row.verdict.winner === winner)
        .map((row) => CLASSES[row.test.setting]);
      if (classes.length) {
        said.push([name(found, winner), ` is better in ${listed(classes)}`]);
      }
    }
    const open = rows.filter((row) => !row.verdict.isSeparated)
      .map((row) => CLASSES[row.test.setting]);
    if (open.length) {
      const where = said.length ? `not separated in ${listed(open)}` : `Not separated in ${listed(open)}`;
      said.push([where]);
    }
    return said.flatMap((part, i) => (i ? ["; ", ...part] : part));
  }

  function listed(words) {
    return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
  }

  function explanation(found) {
    const { design, tests, systems } = found;
    const percent = Math.round(100 * (1 - design.alpha));
    const said = [
      `${tests.length} tests in one family: sign flips over questions, step-down max-T, ` +
      `${design.resamples.toLocaleString("en")} resamples, seed ${design.seed}; simultaneous ` +
      `${percent}% intervals. Computed in this page, with the numbers of babelboard compare.`,
    ];
    if (systems.some((system) => system.seeds.length > 1)) {
      said.push(" Scores are means over the seeds of a system: the tests are about these " +
        "checkpoints, not about training them anew.");
    }
    if (tests.some((test) => test.exact)) {
      said.push(" * marks a p that is exact, from all patterns of signs.");
    }
    return said;
  }

  function table(rows, isPair) {
    const heads = ["n", "First higher", "Same", "Second higher", "Effect size", "p", "Adjusted p"];
    return element("div", {
      class: "scroll", role: "region", "aria-labelledby": "tests-title", tabindex: "0",
    }, element("table", { class: "tests" },
      element("thead", {}, element("tr", {},
        element("th", { scope: "col" }, isPair ? "Class" : "Pair"),
        element("th", { scope: "col" }, "Questions"),
        ...heads.map((head) => element("th", { scope: "col", class: "number" }, head)))),
      ...grouped(rows, isPair)));
  }

  function grouped(rows, isPair) {
    const settings = [...new Set(rows.map((row) => row.test.setting))];
    return settings.map((setting) => {
      const body = element("tbody");
      if (!isPair) {
        body.append(element("tr", {},
          element("th", { colspan: 9, scope: "rowgroup", class: "class" }, CLASSES[setting])));
      }
      body.append(...rows.filter((row) => row.test.setting === setting).map(tested));
      return body;
    });
  }

  function tested({ test, again }) {
    const effect = test.effect_size === null ? "\u2013" : plain(test.effect_size, 2);
    const numbers = [test.n, test.wins, test.ties, test.losses].map((count) =>
      element("td", { class: "number" },
        element("data", { value: count }, count.toLocaleString("en"))));
    return element("tr", { "data-a": test.a, "data-b": test.b, "data-setting": test.setting },
      element("th", { scope: "row" }, again),
      element("td", { class: "bar" }, leads(test)),
      ...numbers,
      element("td", { class: "number" }, element("data", { value: test.effect_size ?? "" }, effect)),
      element("td", { class: "number" },
        element("data", { value: test.p, class: "p" }, probability(test.p) + (test.exact ? "*" : ""))),
      element("td", { class: "number" },
        element("data", { value: test.p_adjusted, class: "p-adjusted" }, probability(test.p_adjusted))));
  }

  function probability(p) {
    return p < 0.001 ? "< .001" : plain(p);
  }

  /* Two systems, question by question: one picture for each class. */
  function planes(rows, found) {
    const made = rows.map(({ test }) => {
      const values = found.scores.values[found.scores.settings.indexOf(test.setting)];
      const [first, second] = found.systems.map((system) => system.name);
      const label = `Scores of each question in ${CLASSES[test.setting]}: ${first} is higher on ` +
        `${test.wins}, ${second} on ${test.losses}, the same on ${test.ties}.`;
      const names = [0, 1].map((place) => () => name(found, place));
      return scatter(CLASSES[test.setting], values[0], values[1], label, names);
    });
    return [
      element("h3", {}, "Question by question"),
      element("p", { class: "note" }, "A dot is a question, larger where several have the same " +
        "scores; off the diagonal, one system answers it better."),
      element("div", { class: "planes" }, ...made),
    ];
  }

  return Object.freeze({ results });
})();

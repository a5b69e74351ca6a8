/* Charts of a comparison, made of elements: names only ever become text. */
"use strict";

globalThis.babelboardCharts = (() => {
  const SVG = "http://www.w3.org/2000/svg";
  const MINUS = "\u2212";
  const MOST_TICKS = 6;
  const PADDING = 0.05;
  /* Questions in one place of a scatter plot, up to how many, and the width of their dot. */
  const DOTS = [[1, 3.5], [4, 5.5], [16, 8.5], [Infinity, 13]];

  /* An element of HTML with attributes and children; a text becomes a text node. */
  function element(name, attributes = {}, ...children) {
    return filled(document.createElement(name), attributes, children);
  }

  function drawn(name, attributes = {}, ...children) {
    return filled(document.createElementNS(SVG, name), attributes, children);
  }

  function filled(made, attributes, children) {
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  }

  /* ".386", with a real minus sign: no leading zero, as it says nothing. */
  function plain(value, digits = 3) {
    const text = Math.abs(value).toFixed(digits);
    const sign = value < 0 && Number(text) > 0 ? MINUS : "";
    return sign + (text.startsWith("0.") ? text.slice(1) : text);
  }

  function signed(value) {
    const text = plain(value);
    return value > 0 && Number(value.toFixed(3)) > 0 ? `+${text}` : text;
  }

  /* Multiples of 1, 2 or 5 times a power of ten, at most MOST_TICKS of them. */
  function ticks(low, high) {
    for (let power = Math.floor(Math.log10(high - low)) - 2; ; power++) {
      for (const multiple of [1, 2, 5]) {
        const interval = multiple * 10 ** power;
        const first = Math.ceil(low / interval);
        const last = Math.floor(high / interval);
        if (last - first < MOST_TICKS) {
          const digits = Math.max(0, -power);
          return Array.from({ length: last - first + 1 }, (_, i) => {
            const value = (first + i) * interval;
            return { value, label: first + i === 0 ? "0" : plain(value, digits) };
          });
        }
      }
    }
  }

  /* An axis that holds 0 and all intervals; `at` is a place in percent. */
  function scaleOf(tests) {
    const values = [0, ...tests.flatMap((test) => [test.difference, ...(test.ci ?? [])])];
    const [least, most] = [Math.min(...values), Math.max(...values)];
    const span = most - least || 1;
    const low = least - PADDING * span;
    const high = most + PADDING * span;
    const at = (value) => `${((100 * (value - low)) / (high - low)).toFixed(2)}%`;
    return { at, ticks: ticks(low, high).map(({ value, label }) => ({ at: at(value), label })) };
  }

  /* rows: {label, of, test, verdict}. All rows of all forests of a page share a scale. */
  function forest(caption, rows, scale, sides) {
    const heads = sides.map((side) => element("span", {}, ...side));
    return element("div", { class: "chart" },
      element("table", { class: "rows forest" },
        element("caption", {}, caption),
        element("thead", {}, element("tr", {},
          element("th", { scope: "col" }, element("span", { class: "unseen" }, "Compared")),
          element("th", { scope: "col", class: "plot" },
            element("span", { class: "sides" }, ...heads)),
          element("th", { scope: "col", class: "number" }, "Difference"),
          element("th", { scope: "col", class: "number bounds" }, "Interval"))),
        element("tbody", {}, ...rows.map((row) => forestRow(row, scale))),
        element("tfoot", { "aria-hidden": "true" }, element("tr", {},
          element("td"), element("td", { class: "plot" }, axis(scale)),
          element("td", { colspan: 2 })))));
  }

  function forestRow({ label, test, verdict }, scale) {
    const grid = scale.ticks.map(({ at }) => line("grid", at, at, "0", "100%"));
    const place = scale.at(test.difference);
    const picture = drawn("svg", { class: verdict.colour, "aria-hidden": "true" }, ...grid,
      line("zero", scale.at(0), scale.at(0), "0", "100%"));
    if (test.ci) picture.append(line("span", scale.at(test.ci[0]), scale.at(test.ci[1]), "50%", "50%"));
    const mark = verdict.colour === "grey" ? "mark hollow" : "mark";
    picture.append(drawn("circle", { class: `${mark} ${verdict.colour}`, cx: place, cy: "50%", r: 5 }));
    const bounds = test.ci ? `[${plain(test.ci[0])}, ${plain(test.ci[1])}]` : "no bound";
    return element("tr", {},
      element("th", { scope: "row" }, label,
        element("span", { class: "group" }, verdict.words)),
      element("td", { class: "plot" }, picture),
      element("td", { class: "number" },
        element("data", { value: test.difference, class: "value" }, signed(test.difference))),
      element("td", { class: "number bounds" }, bounds));
  }

  function line(kind, x1, x2, y1, y2) {
    return drawn("line", { class: kind, x1, x2, y1, y2 });
  }

  function axis(scale) {
    const svg = drawn("svg", { class: "axis", width: "100%", height: 22, "aria-hidden": "true" });
    scale.ticks.forEach(({ at, label }, i) => {
      svg.append(line("", at, at, "0", "4"));
      // A phone has room for every second label.
      const text = { x: at, y: 17, "text-anchor": "middle", class: i % 2 ? "wide" : "" };
      svg.append(drawn("text", text, label));
    });
    return svg;
  }

  /* How many questions each system leads on: three lengths, and their numbers beside them. */
  function leads({ wins, ties, losses, n }) {
    const svg = drawn("svg", { class: "leads", width: "100%", height: 12, "aria-hidden": "true" });
    let start = 0;
    for (const [kind, count] of [["first", wins], ["even", ties], ["second", losses]]) {
      const [x, width] = [start, count].map((part) => `${((100 * part) / n).toFixed(2)}%`);
      svg.append(drawn("rect", { class: kind, x, width, y: 0, height: 12 }));
      start += count;
    }
    return svg;
  }

  /* A dot for each question, larger where several questions have the same two scores.

     a, b: scores of the two systems, aligned; label: what the picture says, in words. */
  function scatter(caption, a, b, label, names) {
    const known = a.map((_, i) => i).filter((i) => Number.isFinite(a[i]) && Number.isFinite(b[i]));
    const highest = Math.max(1, ...[a, b].map((side) => most(side, known)));
    const counts = new Map();
    for (const i of known) {
      const place = [a[i], highest - b[i]].map((x) => ((100 * x) / highest).toFixed(1)).join(" ");
      counts.set(place, (counts.get(place) ?? 0) + 1);
    }
    const svg = drawn("svg", {
      class: "questions", viewBox: "-2 -2 104 104", role: "img", "aria-label": label,
    });
    for (const at of [0, 25, 50, 75, 100]) {
      svg.append(line("grid", at, at, 0, 100), line("grid", 0, 100, at, at));
    }
    svg.append(line("diagonal", 0, 100, 100, 0));
    for (const [side, holds] of [["even", (d) => d === 0], ["first", (d) => d > 0], ["second", (d) => d < 0]]) {
      for (const [kind, [upTo, width]] of DOTS.entries()) {
        const least = kind ? DOTS[kind - 1][0] : 0;
        const dots = [...counts].filter(([place, count]) => {
          const [x, y] = place.split(" ").map(Number);
          return count > least && count <= upTo && holds(Math.round(10 * (x + y - 100)));
        });
        if (dots.length) {
          const d = dots.map(([place]) => `M${place}h0`).join("");
          svg.append(drawn("path", { class: `dots ${side}`, d, "stroke-width": width }));
        }
      }
    }
    return element("figure", { class: "plane" },
      element("figcaption", {}, caption),
      element("p", { class: "axis-name", "aria-hidden": "true" }, "\u2191 ", names[1]()),
      svg,
      element("p", { class: "axis-name across", "aria-hidden": "true" }, names[0](), " \u2192"));
  }

  function most(values, rows) {
    return rows.reduce((largest, i) => Math.max(largest, values[i]), 0);
  }

  return Object.freeze({ element, plain, signed, scaleOf, forest, leads, scatter });
})();

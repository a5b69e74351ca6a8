/* Another baseline for the heat map of a system, chosen in the page; the choice is in the address,
   so it can be shared. Without scripts the map stands as it was built, against the closest one. */
(() => {
  "use strict";

  const NONE = "";
  const MINUS = "\u2212";
  const PLACE = /^(same|pool)$/;

  function made(tag, content, attributes = {}) {
    const element = document.createElement(tag);
    element.textContent = content;
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  }

  /* Thousandths as pages write numbers: no leading zero. */
  function plain(thousandths) {
    return (thousandths / 1000).toFixed(3).replace(/^0/, NONE);
  }

  function signed(thousandths) {
    const sign = thousandths > 0 ? "+" : thousandths < 0 ? MINUS : NONE;
    return sign + plain(Math.abs(thousandths));
  }

  const entries = new URL("../entries/", document.currentScript.src);

  class HeatMap {
    constructor(holder) {
      const { task, system, drawn, choices } = holder.dataset;
      this.holder = holder;
      this.task = task;
      this.key = `baseline-${task}`;
      this.shard = `maps/${system}/${task}`;
      this.drawn = drawn;
      this.built = drawn;
      this.choices = JSON.parse(choices);
      this.cells = [...holder.querySelectorAll(".map tbody td[class]")];
      this.sentence = holder.querySelector(".against");
      this.makeSelect();
      const asked = new URLSearchParams(window.location.search).get(this.key);
      const known = [...this.select.options].some((option) => option.value === asked);
      this.select.value = known ? asked : this.built;
      if (this.select.value !== this.built) this.show();
    }

    makeSelect() {
      this.select = made("select", NONE, { autocomplete: "off" });
      this.select.append(made("option", "no baseline (means)", { value: NONE }));
      for (const { id, name, reason } of this.choices) {
        // Isolated, so that a name turns around nothing but itself.
        this.select.append(made("option", `\u2068${name}\u2069, ${reason}`, { value: id }));
      }
      this.select.addEventListener("change", () => {
        this.write();
        this.show();
      });
      const label = made("label", "Compare with ");
      label.append(this.select);
      const bar = made("p", NONE, { class: "facets" });
      bar.append(label);
      this.status = made("p", NONE, { role: "status", class: "unseen" });
      this.sentence.before(bar, this.status);
    }

    write() {
      const query = new URLSearchParams(window.location.search);
      if (this.select.value === this.built) query.delete(this.key);
      else query.set(this.key, this.select.value);
      const { pathname, hash } = window.location;
      const found = query.toString();
      window.history.replaceState(null, NONE, pathname + (found ? `?${found}` : NONE) + hash);
    }

    async show() {
      let shard;
      try {
        shard = await globalThis.babelboard.load(this.shard);
        const { value } = this.select;
        const lacks = value !== NONE && !Object.hasOwn(shard.baselines, value);
        if (lacks || shard.cells.length !== this.cells.length) {
          throw new Error(`data/${this.shard}.js is of another build of the site; load it anew.`);
        }
      } catch (error) {
        this.select.value = this.drawn;
        this.write();
        this.status.className = "note";
        this.status.textContent = error.message;
        return;
      }
      // What is chosen now: it may have changed while the file was loading.
      this.draw(this.select.value, shard);
    }

    draw(chosen, shard) {
      const columns = shard.baselines[chosen];
      const counts = { better: 0, worse: 0, open: 0 };
      this.cells.forEach((cell, index) => {
        const tone = columns ? this.against(cell, index, columns, counts) : this.alone(cell);
        const place = [...cell.classList].filter((name) => PLACE.test(name));
        cell.className = [tone ?? `s${shard.shade[index]}`, ...place].join(" ");
      });
      this.drawn = chosen;
      this.describe(this.choices.find(({ id }) => id === chosen), counts);
    }

    /* Takes away what a cell says of a baseline. */
    alone(cell) {
      cell.querySelector(".mark")?.remove();
      cell.title = cell.title.split("; ")[0];
    }

    /* Says in a cell what its difference is; gives the class of its colour. */
    against(cell, index, columns, counts) {
      this.alone(cell);
      const difference = columns.difference[index];
      if (difference === null) return "even";
      const p = columns.p[index];
      cell.title += `; ${signed(difference)}, p ${p ? `= ${plain(p)}` : "< .001"}`;
      const step = columns.step[index];
      const sign = columns.significant[index];
      counts[sign > 0 ? "better" : sign < 0 ? "worse" : "open"] += 1;
      if (sign) {
        cell.append(made("span", sign > 0 ? "▲ better" : "▼ worse", { class: "mark" }));
      }
      return step > 0 ? `up${step}` : step < 0 ? `down${-step}` : "even";
    }

    describe(choice, counts) {
      const marks = this.holder.querySelector(".marks");
      marks.hidden = !choice;
      this.holder.querySelector(".shades").hidden = Boolean(choice);
      this.holder.querySelector(".tested").hidden = !choice;
      this.status.className = "unseen";
      if (!choice) {
        this.sentence.textContent = "Colour: the score.";
        this.status.textContent = "The map shows means, without a baseline.";
        return;
      }
      const numbers = [counts.better, counts.worse, counts.open];
      marks.querySelectorAll("b").forEach((shown, index) => {
        shown.textContent = numbers[index];
      });
      const page = new URL(`${encodeURIComponent(choice.id)}.html`, entries);
      page.hash = this.task;
      const link = made("a", NONE, { href: page.href });
      link.append(made("bdi", choice.name));
      const reason = `, ${choice.reason}.`;
      this.sentence.replaceChildren("Colour and mark: difference to ", link, reason);
      this.status.textContent =
        `Against \u2068${choice.name}\u2069${reason} Better: ${counts.better}, ` +
        `worse: ${counts.worse}, not separated: ${counts.open}.`;
    }
  }

  for (const holder of document.querySelectorAll("[data-choices]")) new HeatMap(holder);
})();

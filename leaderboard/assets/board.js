/* Sorts, narrows down and turns over a table of systems; the state is in the address, so it can be
   shared. Without scripts the table stands as it was built: sorted and readable. */
"use strict";

(() => {
  const NONE = "";
  const ROWS_ON_PAGE = 100;

  function element(tag, text, attributes = {}) {
    const made = document.createElement(tag);
    made.textContent = text;
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  }

  class Board {
    constructor(table, rows) {
      this.table = table;
      this.rows = rows;
      this.headers = boardRows.headers(table);
      this.facets = JSON.parse(table.dataset.facets);
      this.built = { sort: table.dataset.sort, order: "desc", page: Number(table.dataset.page || 1) };
      this.controls = {};
      this.status = element("p", NONE, { role: "status", class: "note status" });
      this.makeFacets();
      this.makeHeaders();
      this.makePager();
      this.read();
      this.show();
    }

    makeFacets() {
      const bar = element("div", NONE, { class: "facets" });
      for (const { key, title } of this.facets) {
        const counts = new Map();
        for (const { facets } of this.rows) counts.set(facets[key], (counts.get(facets[key]) || 0) + 1);
        if (counts.size < 2) continue;
        const select = document.createElement("select");
        select.append(element("option", "all", { value: NONE }));
        const answers = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
        for (const [answer, count] of answers) {
          select.append(element("option", `${answer} (${count})`, { value: answer }));
        }
        select.addEventListener("change", () => this.change({ [key]: select.value, page: 1 }));
        const label = element("label", `${title} `);
        label.append(select);
        bar.append(label);
        this.controls[key] = select;
      }
      this.table.closest(".scroll").before(bar, this.status);
    }

    makeHeaders() {
      for (const header of this.headers) {
        const { key, first, title } = header.dataset;
        const button = element("button", title, { type: "button" });
        header.replaceChildren(button);
        button.addEventListener("click", () => {
          const turned = this.state.order === "desc" ? "asc" : "desc";
          this.change({ sort: key, order: this.state.sort === key ? turned : first, page: 1 });
        });
      }
    }

    /* In place of the links to further pages, which are sorted as they were built. */
    makePager() {
      const region = this.table.closest(".scroll");
      const links = region.nextElementSibling;
      if (links?.classList.contains("pager")) links.remove();
      document.querySelector(".cut")?.remove();
      this.pager = element("nav", NONE, { class: "pager", "aria-label": "Pages of the table" });
      this.previous = element("button", "Previous", { type: "button" });
      this.next = element("button", "Next", { type: "button" });
      this.range = element("span", NONE);
      this.previous.addEventListener("click", () => this.turn(-1));
      this.next.addEventListener("click", () => this.turn(1));
      this.pager.append(this.previous, this.range, this.next);
      if (this.rows.length > ROWS_ON_PAGE) region.after(this.pager);
    }

    turn(by) {
      this.change({ page: this.state.page + by });
      const [pressed, other] = by > 0 ? [this.next, this.previous] : [this.previous, this.next];
      // A button that cannot be pressed any more would lose the focus.
      if (pressed.disabled) other.focus({ preventScroll: true });
      this.table.scrollIntoView({ block: "nearest" });
    }

    change(to) {
      Object.assign(this.state, to);
      this.show();
      this.write();
    }

    /* The state from the address; what makes no sense there is passed over. */
    read() {
      const asked = new URLSearchParams(window.location.search);
      this.state = { ...this.built };
      if (this.headers.some(({ dataset }) => dataset.key === asked.get("sort"))) {
        this.state.sort = asked.get("sort");
      }
      if (["asc", "desc"].includes(asked.get("order"))) this.state.order = asked.get("order");
      if (/^[1-9]\d{0,5}$/.test(asked.get("page"))) this.state.page = Number(asked.get("page"));
      for (const [key, select] of Object.entries(this.controls)) {
        const known = Array.from(select.options, (option) => option.value).includes(asked.get(key));
        this.state[key] = known ? asked.get(key) : NONE;
        select.value = this.state[key];
      }
    }

    write() {
      const query = new URLSearchParams();
      for (const key of Object.keys(this.controls)) {
        if (this.state[key]) query.set(key, this.state[key]);
      }
      if (this.state.sort !== this.built.sort || this.state.order !== this.built.order) {
        query.set("sort", this.state.sort);
        query.set("order", this.state.order);
      }
      if (this.state.page !== this.built.page) query.set("page", this.state.page);
      const found = query.toString();
      const { pathname, hash } = window.location;
      window.history.replaceState(null, NONE, pathname + (found ? `?${found}` : NONE) + hash);
    }

    compare(a, b) {
      const [one, other] = [a.keys[this.state.sort], b.keys[this.state.sort]];
      if (one === other) return a.place - b.place;
      // What is not known stands last, whichever way.
      if (one === NONE || other === NONE || one === undefined || other === undefined) {
        return one === NONE || one === undefined ? 1 : -1;
      }
      const up = one < other ? -1 : 1;
      return this.state.order === "asc" ? up : -up;
    }

    show() {
      const asked = Object.keys(this.controls).filter((key) => this.state[key]);
      const fitting = this.rows
        .filter(({ facets }) => asked.every((key) => facets[key] === this.state[key]))
        .sort((a, b) => this.compare(a, b));
      const pages = Math.max(1, Math.ceil(fitting.length / ROWS_ON_PAGE));
      this.state.page = Math.min(this.state.page, pages);
      const start = (this.state.page - 1) * ROWS_ON_PAGE;
      const shown = fitting.slice(start, start + ROWS_ON_PAGE);
      this.table.tBodies[0].replaceChildren(...shown.map((row) => row.element()));
      for (const header of this.headers) {
        if (header.dataset.key === this.state.sort) {
          header.setAttribute("aria-sort", this.state.order === "asc" ? "ascending" : "descending");
        } else {
          header.removeAttribute("aria-sort");
        }
      }
      for (const cell of this.table.querySelectorAll("td[data-column]")) {
        cell.classList.toggle("sorted", cell.dataset.column === this.state.sort);
      }
      this.previous.disabled = this.state.page === 1;
      this.next.disabled = this.state.page === pages;
      this.range.textContent = `${start + 1}–${start + shown.length} of ${fitting.length.toLocaleString("en")}`;
      this.pager.hidden = fitting.length <= ROWS_ON_PAGE;
      this.status.textContent =
        fitting.length === this.rows.length
          ? `${this.rows.length.toLocaleString("en")} systems.`
          : `${fitting.length.toLocaleString("en")} of ${this.rows.length.toLocaleString("en")} systems. Places, letters and intervals are of all.`;
    }
  }

  for (const table of document.querySelectorAll("table[data-facets]")) {
    const facets = JSON.parse(table.dataset.facets);
    if (table.dataset.index) {
      boardRows.ofIndex(table, facets).then(
        (rows) => new Board(table, rows),
        (error) => {
          const said = `${error.message} The table stands as it was built.`;
          table.closest(".scroll").before(element("p", said, { role: "status", class: "note" }));
        }
      );
    } else {
      new Board(table, boardRows.ofPage(table, facets));
    }
  }
})();

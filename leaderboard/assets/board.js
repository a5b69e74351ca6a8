/* Sorts and filters the table of a task; the state is in the address, so it can be shared.
   Without scripts the table stands as it was built: sorted, whole, readable. */
(function () {
  "use strict";

  var NONE = "";

  function values(row) {
    return row.dataset;
  }

  function text(tag, content, attributes) {
    var made = document.createElement(tag);
    made.textContent = content;
    Object.keys(attributes || {}).forEach(function (name) {
      made.setAttribute(name, attributes[name]);
    });
    return made;
  }

  function Board(table) {
    this.table = table;
    this.rows = Array.prototype.slice.call(table.tBodies[0].rows);
    this.headers = Array.prototype.slice.call(table.tHead.querySelectorAll("th[data-key]"));
    this.facets = JSON.parse(table.dataset.facets);
    this.built = { sort: table.dataset.sort, order: "desc" };
    this.controls = {};
    this.status = text("p", NONE, { role: "status", class: "note status" });
    this.makeFacets();
    this.makeHeaders();
    this.read();
    this.show();
  }

  Board.prototype.makeFacets = function () {
    var self = this;
    var bar = text("div", NONE, { class: "facets" });
    this.facets.forEach(function (facet) {
      var counts = {};
      self.rows.forEach(function (row) {
        var value = values(row)[facet.key];
        counts[value] = (counts[value] || 0) + 1;
      });
      var found = Object.keys(counts).sort(function (a, b) {
        return counts[b] - counts[a] || (a < b ? -1 : 1);
      });
      if (found.length < 2) {
        return;
      }
      var label = text("label", facet.title + " ");
      var select = document.createElement("select");
      select.appendChild(text("option", "all", { value: NONE }));
      found.forEach(function (value) {
        select.appendChild(text("option", value + " (" + counts[value] + ")", { value: value }));
      });
      select.addEventListener("change", function () {
        self.state[facet.key] = select.value;
        self.show();
        self.write();
      });
      label.appendChild(select);
      bar.appendChild(label);
      self.controls[facet.key] = select;
    });
    var region = this.table.closest(".scroll");
    region.parentNode.insertBefore(bar, region);
    region.parentNode.insertBefore(this.status, region);
  };

  Board.prototype.makeHeaders = function () {
    var self = this;
    this.headers.forEach(function (header) {
      var button = text("button", header.dataset.title, { type: "button" });
      header.textContent = NONE;
      header.appendChild(button);
      button.addEventListener("click", function () {
        var key = header.dataset.key;
        var first = header.dataset.first;
        var turned = self.state.order === "desc" ? "asc" : "desc";
        self.state.order = self.state.sort === key ? turned : first;
        self.state.sort = key;
        self.show();
        self.write();
      });
    });
  };

  /* The state from the address; what makes no sense there is passed over. */
  Board.prototype.read = function () {
    var asked = new URLSearchParams(window.location.search);
    var keys = this.headers.map(function (header) {
      return header.dataset.key;
    });
    this.state = { sort: this.built.sort, order: this.built.order };
    if (keys.indexOf(asked.get("sort")) >= 0) {
      this.state.sort = asked.get("sort");
    }
    if (asked.get("order") === "asc" || asked.get("order") === "desc") {
      this.state.order = asked.get("order");
    }
    var self = this;
    Object.keys(this.controls).forEach(function (key) {
      var select = self.controls[key];
      var known = Array.prototype.some.call(select.options, function (option) {
        return option.value === asked.get(key);
      });
      self.state[key] = known ? asked.get(key) : NONE;
      select.value = self.state[key];
    });
  };

  Board.prototype.write = function () {
    var query = new URLSearchParams();
    var self = this;
    Object.keys(this.controls).forEach(function (key) {
      if (self.state[key]) {
        query.set(key, self.state[key]);
      }
    });
    if (this.state.sort !== this.built.sort || this.state.order !== this.built.order) {
      query.set("sort", this.state.sort);
      query.set("order", this.state.order);
    }
    var found = query.toString();
    window.history.replaceState(
      null, NONE, window.location.pathname + (found ? "?" + found : NONE) + window.location.hash
    );
  };

  Board.prototype.compare = function (a, b) {
    var key = "v" + this.state.sort;
    var one = values(a)[key];
    var other = values(b)[key];
    if (one === other) {
      return Number(values(a).place) - Number(values(b).place);
    }
    if (one === NONE || other === NONE) {
      return one === NONE ? 1 : -1; // what is not known stands last, whichever way
    }
    var up = this.state.sort === "name" ? (one < other ? -1 : 1) : Number(one) - Number(other);
    return this.state.order === "asc" ? up : -up;
  };

  Board.prototype.show = function () {
    var self = this;
    var body = this.table.tBodies[0];
    var shown = 0;
    this.rows.sort(this.compare.bind(this)).forEach(function (row) {
      var fits = Object.keys(self.controls).every(function (key) {
        return !self.state[key] || values(row)[key] === self.state[key];
      });
      row.hidden = !fits;
      shown += fits ? 1 : 0;
      body.appendChild(row);
    });
    this.headers.forEach(function (header) {
      var here = header.dataset.key === self.state.sort;
      var order = self.state.order === "asc" ? "ascending" : "descending";
      if (here) {
        header.setAttribute("aria-sort", order);
      } else {
        header.removeAttribute("aria-sort");
      }
    });
    Array.prototype.forEach.call(this.table.querySelectorAll("td[data-column]"), function (cell) {
      cell.classList.toggle("sorted", cell.dataset.column === self.state.sort);
    });
    this.status.textContent =
      shown === this.rows.length
        ? shown + " systems."
        : shown + " of " + this.rows.length + " systems. Places, letters and intervals are of all.";
  };

  Array.prototype.forEach.call(document.querySelectorAll("table[data-facets]"), function (table) {
    new Board(table);
  });
})();

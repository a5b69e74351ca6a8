/* Which differences are real: the paired tests of harness/comparison.py with its defaults, in the
   page. Sign-flip randomisation over questions, studentised step-down max-T over all pairs in all
   settings, exact where 20 differences or fewer are not 0, simultaneous intervals.

   The numbers are Python's to the last bit: scores go on the same lattice of whole numbers, so
   sums of flipped differences are exact in any order; the signs are those of signs.js; where
   rounding is unavoidable (means, norms), terms are added in the order in which numpy adds them. */
"use strict";

globalThis.babelboardSignificance = (() => {
  const { GROUP, RESAMPLES, Signs } = globalThis.babelboardSigns;

  const TIE = 1e-9;
  const MOST_ENUMERATED = 20;
  const SCALES = [1, 2520, 100, 10_000];
  const CLOSE = 1e-7;
  const FINE = 2 ** 32;
  const SMALL = 1e-4;
  const LEAST = Number.MIN_VALUE;
  const LARGEST_EXACT = Number.MAX_SAFE_INTEGER;
  const SAME = 1e-12;
  const SLICE_MS = 24;

  /* Sum of values[start .. start + length) in numpy's order: pairwise, in blocks of 128. */
  function sum(values, start = 0, length = values.length) {
    if (length < 8) {
      let total = 0;
      for (let i = start; i < start + length; i++) total += values[i];
      return total;
    }
    if (length > 128) {
      const half = (length >> 1) - ((length >> 1) % 8);
      return sum(values, start, half) + sum(values, start + half, length - half);
    }
    const r = values.slice(start, start + 8);
    const whole = length - (length % 8);
    for (let i = 8; i < whole; i++) r[i % 8] += values[start + i];
    let total = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
    for (let i = whole; i < length; i++) total += values[start + i];
    return total;
  }

  const mean = (values) => sum(values) / values.length;
  const largestSize = (values) => values.reduce((most, x) => Math.max(most, Math.abs(x)), 0);

  function deviation(values) {
    const centre = mean(values);
    return Math.sqrt(sum(values.map((x) => (x - centre) * (x - centre))) / (values.length - 1));
  }

  /* Equal but for the rounding of float64. */
  function areTheSame(values) {
    const range = values.reduce((most, x) => Math.max(most, x), -Infinity) -
      values.reduce((least, x) => Math.min(least, x), Infinity);
    return range <= SAME * largestSize(values);
  }

  /* To the nearest whole number, halves to the even one. */
  function nearest(x) {
    const size = Math.abs(x);
    if (!(size < 2 ** 52)) return x;
    return x < 0 ? -(size + 2 ** 52 - 2 ** 52) : size + 2 ** 52 - 2 ** 52;
  }

  /* The exponent of the least power of two that is not below a positive number. */
  function powerAbove(x) {
    let exponent = 0;
    while (2 ** exponent < x) exponent++;
    while (2 ** (exponent - 1) >= x) exponent--;
    return exponent;
  }

  /* Scores as whole multiples of a unit, as harness/significance/score_lattice.py has them. */
  function onLattice(scores, averagedOver) {
    const known = scores.map((x) => (Number.isNaN(x) ? 0 : x));
    const isAnyScore = known.some((x) => x !== 0);
    for (const over of [1, averagedOver]) {
      for (const scale of SCALES) {
        const scaled = known.map((x) => x * (scale * over));
        const whole = scaled.map(nearest);
        const isClose = scaled.every((x, i) => Math.abs(x - whole[i]) < CLOSE * Math.max(1, over));
        if (isClose && whole.some((x) => x !== 0) === isAnyScore) return whole;
      }
    }
    const largest = largestSize(known);
    const exponent = largest > SMALL && largest <= 1 ? 0 : powerAbove(largest);
    const unit = Math.max(2 ** (exponent - 32), LEAST);
    return known.map((x) => nearest(x / unit));
  }

  /* Every pair of systems in every setting, on the questions that both have. */
  function hypothesesOf(scores) {
    const found = [];
    const { systems, questions } = scores;
    scores.settings.forEach((setting, place) => {
      const values = scores.values[place];
      const joined = new Float64Array(systems.length * questions.length);
      values.forEach((column, i) => joined.set(column, i * questions.length));
      const lattice = onLattice(joined, scores.averagedOver[place]);
      for (let a = 0; a < systems.length; a++) {
        for (let b = a + 1; b < systems.length; b++) {
          const rows = questions.map((_, i) => i)
            .filter((i) => Number.isFinite(values[a][i]) && Number.isFinite(values[b][i]));
          if (rows.length < 2) {
            throw new RangeError(
              `${systems[a]} and ${systems[b]} share ${rows.length} questions in ${setting}; ` +
              "a paired test needs at least 2.",
            );
          }
          const steps = new Float64Array(questions.length);
          for (const i of rows) {
            steps[i] = lattice[a * questions.length + i] - lattice[b * questions.length + i];
          }
          if (steps.reduce((total, x) => total + Math.abs(x), 0) > LARGEST_EXACT) {
            throw new RangeError(
              `The scores in ${setting} are too large to be added exactly in a browser; ` +
              "use babelboard compare.",
            );
          }
          const [valuesA, valuesB] = [a, b].map((s) => Float64Array.from(rows, (i) => values[s][i]));
          found.push({ place, setting, a, b, valuesA, valuesB, steps, ...statistic(steps) });
        }
      }
    });
    return found;
  }

  /* u = |sum d| / ||d||, and 1 / ||d|| (0 where all differences are 0). */
  function statistic(steps) {
    const norm = Math.sqrt(sum(steps.map((x) => x * x)));
    const scale = norm > 0 ? 1 / norm : 0;
    const observed = Math.abs(sum(steps)) * scale;
    return { scale, observed, threshold: observed * (1 - TIE), alone: 0 };
  }

  /* Exact two-sided p over all patterns of signs of the differences that are not 0. */
  function enumeratedP(steps) {
    const moving = steps.filter((x) => x !== 0);
    const sums = new Float64Array(2 ** moving.length);
    moving.forEach((x, i) => {
      const known = 2 ** i;
      for (let j = 0; j < known; j++) {
        sums[known + j] = sums[j] - x;
        sums[j] += x;
      }
    });
    const threshold = Math.abs(sum(moving)) * (1 - TIE);
    let count = 0;
    for (const total of sums) if (Math.abs(total) >= threshold) count++;
    return count / sums.length;
  }

  /* Tests that are corrected for together; members stand least significant first. */
  function familyOf(hypotheses, members, resamples) {
    const order = [...members].sort((i, j) => hypotheses[i].observed - hypotheses[j].observed);
    return { order, counts: order.map(() => 0), largest: new Float64Array(resamples) };
  }

  /* Step-down: the p of a member is never below that of a more significant one. */
  function stepDown({ order, counts }, resamples, p) {
    let most = 0;
    for (let i = order.length - 1; i >= 0; i--) {
      most = Math.max(most, (1 + counts[i]) / (1 + resamples));
      // An exact p may be larger than its estimate, but adjusting never makes one smaller.
      p[order[i]] = Math.max(order.length > 1 ? most : 0, p[order[i]]);
    }
    return p;
  }

  /* The smallest value that at most a share alpha of the resamples and the data exceed. */
  function quantile(values, alpha) {
    const place = Math.ceil((1 - alpha) * (values.length + 1)) - 1;
    return values.slice().sort()[Math.min(place, values.length - 1)];
  }

  /* Mean +- t s / sqrt(n), with t from the critical value of u; null where there is no bound. */
  function interval(differences, critical) {
    const n = differences.length;
    const centre = mean(differences);
    if (areTheSame(differences)) return [centre, centre];
    if (critical * critical >= n) return null;
    const t = Math.sqrt(((n - 1) * (critical * critical)) / (n - critical * critical));
    const half = (t * deviation(differences)) / Math.sqrt(n);
    return [centre - half, centre + half];
  }

  function effectSize(differences) {
    if (areTheSame(differences)) return largestSize(differences) > TIE ? null : 0;
    return mean(differences) / deviation(differences);
  }

  /* A comparison that is computed step by step, so that a page stays responsive.

     scores: {systems, settings, questions: names; averagedOver: for each setting, the number of
       settings that its scores are means over; values[setting][system]: a Float64Array, a score
       for each question, NaN where there is none}.
     design: {seed: BigInt, resamples, alpha}. */
  class Comparison {
    constructor(scores, { seed = 0n, resamples = 100_000, alpha = 0.05 } = {}) {
      if (!Number.isInteger(resamples) || resamples < 1 || 1 / (1 + resamples) >= alpha) {
        const needed = Math.floor(1 / alpha);
        throw new RangeError(
          `With ${resamples} resamples no p-value can fall below ${alpha}: ` +
          `at least ${needed} are needed.`,
        );
      }
      Object.assign(this, { scores, seed, resamples, alpha, done: 0 });
      this.hypotheses = hypothesesOf(scores);
      const all = this.hypotheses.map((_, i) => i);
      const settings = scores.settings.map((_, place) =>
        all.filter((i) => this.hypotheses[i].place === place));
      this.families = [...settings, all].map((ids) => familyOf(this.hypotheses, ids, resamples));
      this.signs = new Signs(scores.questions, seed);
      this.bytes = new Uint8Array(this.signs.groups * RESAMPLES);
      this.flipped = this.hypotheses.map(() => new Float64Array(RESAMPLES));
      this.table = new Float64Array(2 ** GROUP);
      this.blocks = Math.ceil(resamples / RESAMPLES);
      this.steps = this.blocks + this.hypotheses.length;
    }

    /* Does one step; true once all are done. */
    step() {
      if (this.done < this.blocks) this.#flip(this.done);
      else if (this.done < this.steps) this.#enumerate(this.hypotheses[this.done - this.blocks]);
      this.done = Math.min(this.steps, this.done + 1);
      return this.done === this.steps;
    }

    #enumerate(hypothesis) {
      hypothesis.exact = hypothesis.steps.filter((x) => x !== 0).length <= MOST_ENUMERATED;
      hypothesis.p = hypothesis.exact
        ? enumeratedP(hypothesis.steps)
        : (1 + hypothesis.alone) / (1 + this.resamples);
    }

    #flip(block) {
      this.signs.fill(block, this.bytes);
      const size = Math.min(RESAMPLES, this.resamples - block * RESAMPLES);
      this.hypotheses.forEach((hypothesis, i) => {
        const u = this.flipped[i].fill(0);
        for (let group = 0; group < this.signs.groups; group++) {
          this.#addGroup(hypothesis.steps, group, u);
        }
        for (let b = 0; b < size; b++) {
          u[b] = Math.abs(u[b]) * hypothesis.scale;
          if (u[b] >= hypothesis.threshold) hypothesis.alone++;
        }
      });
      for (const { order, counts, largest } of this.families) {
        const running = largest.subarray(block * RESAMPLES, block * RESAMPLES + size);
        order.forEach((member, rank) => {
          const u = this.flipped[member];
          const { threshold } = this.hypotheses[member];
          let count = 0;
          for (let b = 0; b < size; b++) {
            if (u[b] > running[b]) running[b] = u[b];
            if (running[b] >= threshold) count++;
          }
          counts[rank] += count;
        });
      }
    }

    /* Adds the flipped differences of eight questions to the sums of a block. The sum of each of
       their 256 patterns of signs is looked up. */
    #addGroup(steps, group, sums) {
      const { table, bytes } = this;
      const first = group * GROUP;
      table[0] = 0;
      for (let j = 0; j < GROUP; j++) {
        const x = first + j < steps.length ? steps[first + j] : 0;
        const known = 1 << j;
        for (let i = 0; i < known; i++) {
          table[known + i] = table[i] + x;
          table[i] -= x;
        }
      }
      const offset = group * RESAMPLES;
      for (let b = 0; b < RESAMPLES; b++) sums[b] += table[bytes[offset + b]];
    }

    /* Every test under the names that babelboard compare --format json has. */
    tests() {
      const { hypotheses, scores, resamples } = this;
      const alone = hypotheses.map((h) => h.p);
      const withinSetting = this.families.slice(0, -1)
        .reduce((p, family) => stepDown(family, resamples, p), [...alone]);
      const overall = this.families[this.families.length - 1];
      const adjusted = stepDown(overall, resamples, [...alone]);
      const critical = quantile(overall.largest, this.alpha);
      return hypotheses.map((h, i) => {
        const differences = h.valuesA.map((x, row) => x - h.valuesB[row]);
        return {
          a: scores.systems[h.a],
          b: scores.systems[h.b],
          setting: h.setting,
          n: differences.length,
          mean_a: mean(h.valuesA),
          mean_b: mean(h.valuesB),
          difference: mean(differences),
          ci: interval(differences, critical),
          p: h.p,
          p_setting: withinSetting[i],
          p_adjusted: adjusted[i],
          effect_size: effectSize(differences),
          wins: differences.filter((x) => x > TIE).length,
          ties: differences.filter((x) => Math.abs(x) <= TIE).length,
          losses: differences.filter((x) => x < -TIE).length,
          exact: h.exact,
        };
      });
    }
  }

  /* The tests at once, for a caller that may wait. */
  function compare(scores, design) {
    const comparison = new Comparison(scores, design);
    while (!comparison.step());
    return comparison.tests();
  }

  /* A promise of the tests, computed in slices between which the page answers.

     onProgress gets the share that is done; signal, an AbortSignal, ends the work. */
  function compareInSlices(scores, design, { onProgress = () => {}, signal } = {}) {
    return new Promise((resolve, reject) => {
      let comparison;
      const slice = () => {
        try {
          signal?.throwIfAborted();
          comparison ??= new Comparison(scores, design);
          const end = performance.now() + SLICE_MS;
          while (performance.now() < end) {
            if (comparison.step()) return resolve(comparison.tests());
          }
          onProgress(comparison.done / comparison.steps);
          setTimeout(slice);
        } catch (error) {
          reject(error);
        }
      };
      setTimeout(slice);
    });
  }

  return Object.freeze({ compare, compareInSlices });
})();

/* Compares what stands in the file that is named, and prints the tests, one list for each case. */
"use strict";

const fs = require("node:fs");
const path = require("node:path");

const assets = path.join(__dirname, "..", "..", "leaderboard", "assets");
require(path.join(assets, "signs.js"));
require(path.join(assets, "significance.js"));

const cases = JSON.parse(fs.readFileSync(process.argv[2], "utf-8"));
const found = cases.map(({ seed, resamples, ...scores }) => {
  const values = scores.values.map((setting) =>
    setting.map((column) => Float64Array.from(column, (x) => (x === null ? NaN : x))));
  const design = { seed: BigInt(seed), resamples };
  return globalThis.babelboardSignificance.compare({ ...scores, values }, design);
});
process.stdout.write(JSON.stringify(found));

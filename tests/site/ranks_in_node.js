/* Reads the ranks of some questions from scripts that are given in a file, and prints them. */
"use strict";

const fs = require("node:fs");
const path = require("node:path");

require(path.join(__dirname, "..", "..", "leaderboard", "assets", "question_ranks.js"));

const { folder, scripts, questions } = JSON.parse(fs.readFileSync(process.argv[2], "utf-8"));
const places = new Map(questions.map((question, i) => [question, i]));
const load = async (name) => scripts[name];

(async () => {
  const found = [];
  for (const question of questions) {
    found.push(await globalThis.babelboardRanks.ranksOf(question, { load, folder, places }));
  }
  process.stdout.write(JSON.stringify(found));
})();

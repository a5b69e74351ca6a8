/* The ranks that an entry gives to the relevant documents of a question, from the scripts that
   leaderboard/rank_shards.py wrote. */
"use strict";

globalThis.babelboardRanks = (() => {
  /* {setting: size of the pool} and the cells of a question.

     load: babelboard.load; folder: that of the entry's ranks; places: of each question among all,
     by id, ascending as in the parts. */
  async function ranksOf(question, { load, folder, places }) {
    const { pools, starts } = await load(`${folder}/parts`);
    const number = partOf(question, starts, places);
    const part = number ? await load(`${folder}/${number}`) : null;
    return { pools, cells: part ? cellsOf(part, question) : [] };
  }

  /* The number of the part that a question is in, from 1; 0 if it comes before the first. */
  function partOf(question, starts, places) {
    return starts.filter((start) => places.get(start) <= places.get(question)).length;
  }

  /* [{setting, query, documents: [{id, language, rank}]}]; a rank of 0: not retrieved. */
  function cellsOf(part, question) {
    const at = part.questions.indexOf(question);
    if (at < 0) return [];
    const first = part.documents.slice(0, at).reduce((total, ids) => total + ids.length, 0);
    const ids = part.documents[at];
    const rankAt = decoder(part);
    const rows = part.rows.map((steps) => {
      let place = 0;
      return steps.map((step) => (place += step));
    });
    let offset = 0;
    const cells = [];
    for (const [setting, query, number] of part.cells) {
      const documents = [];
      rows[number].forEach((place, i) => {
        const id = ids[place - first];
        if (id === undefined) return;
        documents.push({ id, language: id.split("_", 1)[0], rank: rankAt(offset + i) });
      });
      offset += rows[number].length;
      if (documents.length) cells.push({ setting, query, documents });
    }
    return cells;
  }

  function decoder(part) {
    const planes = atob(part.ranks);
    const count = planes.length / part.bytes;
    return (i) => {
      let rank = 0;
      for (let plane = 0; plane < part.bytes; plane++) {
        rank += planes.charCodeAt(plane * count + i) * 256 ** plane;
      }
      return rank;
    };
  }

  return Object.freeze({ ranksOf, partOf, cellsOf });
})();

/* The texts of a question, where the site has them, or the ids of what answers it. */
"use strict";

globalThis.babelboardQuestionTexts = (() => {
  const { element } = globalThis.babelboardQuestionTables;
  const MOST_IDS = 12;

  function text(name, kind, code, words) {
    return element(name, { class: kind, lang: code, dir: "auto" }, words);
  }

  /* The question, and what answers it, in the language that is asked in, or in English.

     texts: {queries, passages}, as in leaderboard/question_index.py, or null. */
  function asked(texts, show) {
    if (!texts) return [];
    const codes = Object.keys(texts.queries);
    const wanted = [show.startsWith("from-") ? show.slice(5) : "en", "en", ...codes];
    const code = wanted.find((one) => one in texts.queries);
    const passages = Object.values(texts.passages[code] ?? {});
    return [
      text("blockquote", "asks", code, texts.queries[code]),
      ...passages.map((passage) => text("p", "answers", code, passage)),
    ];
  }

  /* The question in its languages, with the passages that answer it in each. */
  function parallel(texts, systems, languages) {
    const ids = idsByLanguage(texts, systems);
    const codes = [...new Set([...Object.keys(texts?.queries ?? {}), ...ids.keys()])].sort((a, b) =>
      (languages[a] ?? a).localeCompare(languages[b] ?? b, "en"));
    if (!codes.length) return [];
    const rows = codes.flatMap((code) => [
      element("dt", {}, languages[code] ?? code),
      element("dd", {}, ...(texts ? written(texts, code) : [listed(ids.get(code))])),
    ]);
    return [
      element("h3", {}, texts ? "In every language" : "Relevant passages"),
      element("dl", { class: texts ? "parallel" : "parallel ids" }, ...rows),
    ];
  }

  function written(texts, code) {
    const passages = Object.entries(texts.passages[code] ?? {}).map(([id, words]) => {
      const made = text("p", "answers", code, words);
      made.append(" ", element("bdi", { class: "id", lang: "en" }, id));
      return made;
    });
    const query = texts.queries[code];
    return [...(query === undefined ? [] : [text("p", "asks", code, query)]), ...passages];
  }

  function listed(ids) {
    const shown = ids.slice(0, MOST_IDS).map((id) => element("bdi", { class: "id" }, id));
    const made = element("span", {}, ...shown.flatMap((one, i) => (i ? [" ", one] : [one])));
    if (ids.length > MOST_IDS) made.append(` and ${ids.length - MOST_IDS} more`);
    return made;
  }

  /* Without texts: the relevant documents that the systems have ranks of. */
  function idsByLanguage(texts, systems) {
    const found = new Map();
    if (texts) return found;
    for (const { cells } of systems) {
      for (const { id, language } of cells.flatMap(({ documents }) => documents)) {
        if (!found.has(language)) found.set(language, new Set());
        found.get(language).add(id);
      }
    }
    return new Map([...found].map(([code, ids]) => [code, [...ids].sort()]));
  }

  return Object.freeze({ asked, parallel });
})();

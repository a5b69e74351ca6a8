/* Data of the site as scripts: pages that are opened from a disk may load a script, but not fetch
   a file. data/NAME.js says babelboard.register(NAME, content); babelboard.load(NAME) is a promise
   of that content. */
"use strict";

globalThis.babelboard = (() => {
  const root = new URL("../data/", document.currentScript.src);
  const promises = new Map();
  const contents = new Map();

  function register(name, content) {
    contents.set(name, content);
  }

  function load(name) {
    if (!promises.has(name)) promises.set(name, request(name));
    return promises.get(name);
  }

  function request(name) {
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      const path = `${name.split("/").map(encodeURIComponent).join("/")}.js`;
      const fail = () => {
        promises.delete(name); // so that it can be tried again
        reject(new Error(`The file data/${path} could not be read.`));
      };
      script.addEventListener("error", fail);
      script.addEventListener("load", () => {
        script.remove();
        if (contents.has(name)) resolve(contents.get(name));
        else fail();
      });
      script.src = new URL(path, root);
      document.head.append(script);
    });
  }

  return Object.freeze({ register, load });
})();

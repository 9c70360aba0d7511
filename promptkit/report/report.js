"use strict";
// Everything foreign goes into the page as text nodes: no innerHTML, no attribute that could run.
(() => {
  const $ = (selector, within = document) => within.querySelector(selector);
  const root = document.documentElement;
  const OUTCOMES = [["", "any"], ["correct", "correct"], ["wrong", "wrong"], ["unparsed", "not read"],
    ["truncated", "cut off"], ["failed", "failed"], ["fixed", "fixed"], ["broken", "broken"],
    ["differ", "strategies differ"], ["none", "right by none"], ["all", "right by all"]];
  const WORDS = Object.fromEntries(OUTCOMES.slice(1, 6));
  const CHUNK = 200;
  const form = $("#filters"), list = $("#list"), more = $("#more");
  let data, questions = [], found = [], shown = 0;

  // An element with attributes, and with texts or elements in it.
  function make(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value !== null && value !== false) element.setAttribute(name, value);
    }
    element.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
    return element;
  }

  const text = (reference) => reference === null || reference === undefined ? ""
    : Array.isArray(reference) ? reference.map((place) => data.texts[place]).join("") : data.texts[reference];

  async function unpack() {
    const raw = atob($("#data").textContent.trim());
    const bytes = new Uint8Array(raw.length);
    for (let place = 0; place < raw.length; place++) bytes[place] = raw.charCodeAt(place);
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return JSON.parse(await new Response(stream).text());
  }

  // ---- light and dark
  function theme() {
    const button = $("#theme");
    const dark = () => root.dataset.theme ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    const name = () => { button.textContent = dark() ? "Light" : "Dark"; };
    try { root.dataset.theme = localStorage.getItem("promptkit-theme") || ""; } catch { /* a file may not keep it */ }
    if (!root.dataset.theme) delete root.dataset.theme;
    button.addEventListener("click", () => {
      root.dataset.theme = dark() ? "light" : "dark";
      try { localStorage.setItem("promptkit-theme", root.dataset.theme); } catch { /* as above */ }
      name();
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", name);
    name();
    button.hidden = false;
  }

  // ---- pictures of pairs
  function drawPairs(article, chapter) {
    const section = $(".changes", article);
    if (!section) return;
    const select = $(".against select", section), panels = $(".panels", section), pointed = $(".pointed", section);
    const figures = [...panels.children];
    const byId = new Map(data.sets[chapter.set].questions.map((question) => [question.id, question]));
    function draw() {
      const before = Number(select.value);
      const others = chapter.names.map((_, place) => place).filter((place) => place !== before);
      figures.forEach((figure, place) => {
        const after = others[place];
        const [, , fixed, broken, said] = chapter.pairs.find((pair) => pair[0] === before && pair[1] === after);
        figure.dataset.after = after;
        const was = chapter.right[before], now = chapter.right[after];
        const title = `${chapter.names[after]} against ${chapter.names[before]}: ${fixed} fixed, ${broken} broken`;
        $("title", figure).textContent = title;
        [...$("g", figure).children].forEach((cell, number) => {
          cell.setAttribute("class", was[number] === now[number] ? (now[number] === "1" ? "both" : "neither")
            : now[number] === "1" ? "fixed" : "broken");
        });
        $("b", figure).textContent = chapter.names[after];
        $(".against-name", figure).textContent = `against ${chapter.names[before]}`;
        $(".said", figure).textContent = said;
        const counts = $(".counts", figure);
        counts.replaceChildren(...[["fixed", fixed], ["broken", broken]].flatMap(([outcome, count]) => {
          const button = make("button", { type: "button" }, `${count} ${outcome}`);
          button.addEventListener("click", () => {
            filter({ set: chapter.set, run: chapter.runs[after], baseline: chapter.runs[before], outcome, text: "" });
            $("#questions").scrollIntoView();
            form.elements.outcome.focus({ preventScroll: true });
          });
          return [button, " "];
        }));
      });
    }
    const numberOf = (cell) => [...cell.parentNode.children].indexOf(cell);
    panels.addEventListener("pointerover", (event) => {
      if (event.target.tagName !== "rect") return;
      const id = chapter.order[numberOf(event.target)];
      const after = Number(event.target.closest("figure").dataset.after);
      const rows = byId.get(id).r, before = Number(select.value);
      const told = [before, after].map((place) => `${chapter.names[place]} ${WORDS[rows[chapter.runs[place]].s]}`);
      pointed.textContent = `${id}: ${told.join(", ")}`;
    });
    panels.addEventListener("click", (event) => {
      if (event.target.tagName !== "rect") return;
      filter({ set: chapter.set, run: "", baseline: chapter.runs[0], outcome: "", text: "" });
      reveal(chapter.order[numberOf(event.target)]);
    });
    select.addEventListener("change", draw);
    panels.dataset.live = "";
    $(".against", section).hidden = false;
    draw();
  }

  // ---- the list of questions
  function options(select, entries) {
    select.replaceChildren(...entries.map(([value, name]) => make("option", { value }, name)));
  }

  function chooseSet(number) {
    const set = data.sets[number];
    form.elements.set.value = number;
    questions = set.questions;
    const runs = set.runs.map((name, place) => [place, name]);
    options(form.elements.run, [["", "any"], ...runs]);
    options(form.elements.baseline, runs);
    $(".marks-note .names").textContent = set.runs.join(", ");
  }

  function filter(values) {
    if (values.set !== undefined && String(values.set) !== form.elements.set.value) chooseSet(values.set);
    for (const [name, value] of Object.entries(values)) form.elements[name].value = value;
    apply();
  }

  const right = (row) => row && row.s === "correct";

  function matches(question, { run, outcome, baseline, words }) {
    if (!matchesOutcome(question, run, outcome, baseline)) return false;
    if (!words.length) return true;
    question.hay ??= [question.id, text(question.q), question.g, ...question.r.flatMap((row) => row
      ? [row.a || "", text(row.t), row.e || "", ...(row.k || []).map((call) => text(call.t))] : [])]
      .join("\n").toLowerCase();
    return words.every((word) => question.hay.includes(word));
  }

  function matchesOutcome(question, run, outcome, baseline) {
    const rows = run === "" ? question.r : [question.r[run]], before = question.r[baseline];
    switch (outcome) {
      case "": return run === "" || Boolean(rows[0]);
      case "fixed": return Boolean(before) && !right(before) && rows.some(right);
      case "broken": return right(before) && rows.some((row) => row && !right(row));
      case "differ": return new Set(question.r.filter(Boolean).map((row) => right(row))).size > 1;
      case "none": return !question.r.some(right);
      case "all": return question.r.every(right);
      default: return rows.some((row) => row && row.s === outcome);
    }
  }

  function apply() {
    const fields = form.elements;
    const chosen = { run: fields.run.value, outcome: fields.outcome.value, baseline: fields.baseline.value,
      words: fields.text.value.toLowerCase().split(/\s+/).filter(Boolean) };
    $(".baseline", form).hidden = !["fixed", "broken"].includes(chosen.outcome);
    found = questions.filter((question) => matches(question, chosen));
    shown = 0;
    list.replaceChildren();
    extend();
    $("output", form).textContent = found.length === questions.length
      ? `${count(found.length)} questions` : `${count(found.length)} of ${count(questions.length)} questions`;
    remember();
  }

  const count = (number) => number.toLocaleString("en");

  function extend(upTo = shown + CHUNK) {
    const next = found.slice(shown, upTo);
    list.append(...next.map(line));
    shown += next.length;
    more.hidden = shown >= found.length;
  }

  function line(question) {
    const runs = data.sets[form.elements.set.value].runs;
    const told = question.r.map((row, place) => `${runs[place]} ${row ? WORDS[row.s] : "not asked"}`).join(", ");
    const marks = question.r.map((row) => make("span", { class: `mark ${row ? row.s : "none"}` }));
    const button = make("button", { type: "button", class: "row", "aria-expanded": "false" },
      make("span", { class: "said" }, make("span", { class: "meta" }, question.id), text(question.q)),
      make("span", { class: "marks", role: "img", "aria-label": told, title: told }, ...marks));
    const item = make("li", {}, button);
    button.addEventListener("click", () => toggle(item, question));
    item.question = question;
    return item;
  }

  function toggle(item, question, open = !item.classList.contains("is-open")) {
    item.classList.toggle("is-open", open);
    $(".row", item).setAttribute("aria-expanded", String(open));
    const panel = $(".open", item);
    if (open && !panel) item.append(body(question));
    if (!open && panel) panel.remove();
    remember();
  }

  function reveal(id) {
    const place = found.findIndex((question) => question.id === id);
    if (place < 0) return;
    if (place >= shown) extend(place + 1);
    const item = list.children[place];
    toggle(item, item.question, true);
    item.scrollIntoView({ block: "start" });
    $(".row", item).focus({ preventScroll: true });
  }

  // ---- one question
  function body(question) {
    const set = data.sets[form.elements.set.value];
    const cards = question.r.map((row, place) => row && card(set.runs[place], row));
    const choices = question.c.length
      ? make("ol", { class: "choices" }, ...question.c.map((choice) => make("li", {}, choice))) : null;
    return make("div", { class: "open" }, choices, make("p", { class: "gold" }, "Right answer: ", make("b", {}, question.g)),
      make("div", { class: "cards" }, ...cards));
  }

  function card(name, row) {
    const [generated, read, calls] = row.m || [0, 0, 0];
    const meta = [`${count(generated)} tokens`, `${count(read)} read`, calls === 1 ? "1 call" : `${count(calls)} calls`];
    if (row.x) meta.push(`found by “${row.x[2]}”`);
    const answer = row.a === undefined ? "no answer" : row.a;
    return make("section", { class: `card ${row.s}`, "aria-label": name },
      make("h4", {}, name, make("span", { class: "tag" }, `${WORDS[row.s]}: ${answer}`)),
      make("p", { class: "meta" }, meta.join(" · ")),
      row.v ? votes(row) : null,
      row.tree ? tree(row.tree) : null,
      row.steps ? steps(row.steps) : null,
      row.h !== undefined ? make("div", { class: "text thought", tabindex: "0" }, text(row.h)) : null,
      answerText(row),
      row.e ? make("p", { class: "text" }, `Error: ${row.e}`) : null,
      row.d ? fold("Details", make("dl", {}, ...Object.entries(row.d).flatMap(([key, value]) =>
        [make("dt", {}, key), make("dd", {}, value)]))) : null,
      row.k ? fold(row.k.length === 1 ? "Prompt and completion" : `Prompts and completions of ${row.k.length} calls`,
        () => callList(row.k)) : null);
  }

  function answerText(row) {
    const whole = text(row.t);
    if (!row.x) return make("div", { class: "text", tabindex: "0" }, whole);
    const [start, end] = row.x;
    return make("div", { class: "text", tabindex: "0" }, whole.slice(0, start), make("mark", {}, whole.slice(start, end)),
      whole.slice(end));
  }

  // A closed part; a function makes what is in it when it is opened.
  function fold(title, content) {
    const details = make("details", {}, make("summary", {}, title));
    if (typeof content !== "function") details.append(content);
    else details.addEventListener("toggle", () => details.append(...content()), { once: true });
    return details;
  }

  function callList(calls) {
    let before = -1;
    return calls.map((call) => {
      const [generated, read] = call.m || [0, 0];
      const said = [call.u, call.n !== undefined ? `sample ${call.n}` : "", call.T !== undefined ? `temperature ${call.T}` : "",
        `${count(generated)} tokens, ${count(read)} read`, call.f ? `ended by ${call.f}` : "", call.c ? "from the store" : ""];
      const again = call.p === before;
      before = call.p;
      const prompt = again ? [make("div", { class: "turn" }, make("span", { class: "role" }, "the same prompt"))]
        : data.prompts[call.p].map(([role, place]) => turn(role || "prompt as the model saw it", text(place)));
      return make("div", {}, make("p", { class: "meta" }, said.filter(Boolean).join(" · ")), ...prompt,
        turn("completion", call.e ? `Error: ${call.e}` : text(call.t)));
    });
  }

  function turn(role, content) {
    return make("div", { class: "turn" }, make("span", { class: "role" }, role), make("pre", { tabindex: "0" }, content));
  }

  function votes(row) {
    const most = Math.max(...row.v.map(([, number, weight]) => weight ?? number));
    return make("div", { class: "votes", role: "group", "aria-label": "Votes" }, ...row.v.flatMap(([value, number, weight], place) => {
      const bar = make("span", { class: place ? "bar" : "bar won" });
      bar.style.width = `${100 * Math.max(0, (weight ?? number) / (most || 1))}%`;
      return [make("span", {}, value), bar, make("span", {}, weight === null ? String(number) : `${number}, ${weight.toFixed(2)}`)];
    }));
  }

  function tree(nodes) {
    const top = make("ul", { class: "tree" });
    const levels = [top];
    for (const [depth, thought, value, status, onPath] of nodes) {
      const kind = onPath ? "way" : ["pruned", "rejected", "open"].includes(status) ? `given-up ${status}` : "";
      const item = make("li", {}, value === null ? null : make("span", { class: "value" }, String(+value.toPrecision(4))),
        make("span", { class: kind, title: status }, thought || "(nothing)"));
      levels[depth].append(item);
      levels[depth + 1] = { append: (child) => {
        const inner = make("ul");
        item.append(inner);
        levels[depth + 1] = inner;
        inner.append(child);
      } };
    }
    return top;
  }

  function steps(links) {
    return make("ol", { class: "steps" }, ...links.map(([name, value, runs]) => make("li", {}, make("b", {}, name), ": ", value,
      runs.length ? fold(runs.length === 1 ? "How" : `${runs.length} runs`, () => runs.flatMap((run) => run
        ? [turn("asked", text(run[0])), turn("said", text(run[1])), turn("read as", run[2]),
          ...(run[3] ? [turn("refused before", run[3])] : [])]
        : [turn("skipped", "")])) : null)));
  }

  // ---- keyboard, address, refreshing
  function keys(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (event.key === "/" && !typing) {
      event.preventDefault();
      form.elements.text.focus();
    } else if (event.key === "Escape") {
      const item = event.target.closest("#list > li");
      if (item) { toggle(item, item.question, false); $(".row", item).focus(); } else event.target.blur();
    } else if ((event.key === "j" || event.key === "k") && !typing) {
      const now = event.target.closest("#list > li");
      const step = event.key === "j" ? 1 : -1;
      if (step === 1 && now && now === list.lastElementChild && !more.hidden) extend();
      const next = now ? (step === 1 ? now.nextElementSibling : now.previousElementSibling) : list.firstElementChild;
      if (next) $(".row", next).focus();
    }
  }

  function remember() {
    const state = new URLSearchParams();
    for (const name of ["set", "run", "outcome", "baseline", "text"]) {
      const value = form.elements[name].value;
      if (value && !(name === "set" && value === "0") && !(name === "baseline" && $(".baseline", form).hidden)) state.set(name, value);
    }
    const open = $("#list > .is-open");
    if (open) state.set("id", open.question.id);
    const hash = state.toString();
    if (location.hash.slice(1) !== hash && (hash || location.hash.includes("="))) {
      history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
    }
  }

  function recall() {
    const state = new URLSearchParams(location.hash.includes("=") ? location.hash.slice(1) : "");
    chooseSet(data.sets[state.get("set")] ? state.get("set") : 0);
    const id = state.get("id");
    for (const name of ["run", "outcome", "baseline", "text"]) {
      const field = form.elements[name], value = state.get(name);
      if (value !== null && (name === "text" || [...field.options].some((option) => option.value === value))) field.value = value;
    }
    apply();
    if (id !== null) reveal(id);
    if (!document.body.dataset.state) return;
    const top = sessionStorage.getItem("promptkit-top");
    sessionStorage.removeItem("promptkit-top");
    if (top !== null) scrollTo({ top: Number(top), behavior: "instant" });
  }

  function watch() {
    const state = document.body.dataset.state;
    if (!state) return;
    setInterval(async () => {
      if (document.hidden || document.activeElement === form.elements.text) return;
      try {
        const answer = await fetch("state", { cache: "no-store" });
        if (answer.ok && (await answer.text()) !== state) {
          sessionStorage.setItem("promptkit-top", String(scrollY));
          location.reload();
        }
      } catch { /* the server has gone; what is here can still be read */ }
    }, 3000);
  }

  async function begin() {
    theme();
    watch();
    if (typeof DecompressionStream === "undefined") {
      $("#filters").after("This browser is too old to show the questions: take one of 2023 or later.");
      return;
    }
    data = await unpack();
    options(form.elements.set, data.sets.map((set, place) => [place, set.title]));
    $(".set", form).hidden = data.sets.length === 1;
    options(form.elements.outcome, OUTCOMES);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", (event) => {
      if (event.target.name === "set") chooseSet(event.target.value);
      apply();
    });
    form.addEventListener("reset", () => setTimeout(() => { chooseSet(form.elements.set.value); apply(); }));
    more.addEventListener("click", () => extend());
    document.addEventListener("keydown", keys);
    document.querySelectorAll("[data-chapter]").forEach((article) => drawPairs(article, data.chapters[article.dataset.chapter]));
    form.hidden = false;
    $(".keys").hidden = $(".marks-note").hidden = false;
    recall();
    root.dataset.ready = "";
  }
  begin();
})();

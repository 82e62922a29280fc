"use strict";
(() => {
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const reveal = (elements) => elements.forEach((element) => { element.hidden = false; });

  // Vega is compressed, and so are the data of large studies. The policy of the page allows exactly the unpacked script.
  const text_of = async (name) => {
    const { type, textContent } = document.getElementById(name);
    if (!type.startsWith("application/gzip")) return textContent;
    if (!window.DecompressionStream) throw new Error("this browser has no DecompressionStream; use one of 2023 or later");
    const bytes = Uint8Array.from(atob(textContent), (letter) => letter.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  };
  const unpack = async () => {
    const [data, bundle] = await Promise.all([text_of("charts"), text_of("vega")]);
    const script = document.createElement("script");
    script.textContent = bundle;
    document.head.append(script);
    return JSON.parse(data);
  };

  // Charts. Their data is stored by columns; each chart is drawn once, the visible ones first.
  const views = new Map();
  const switches = all("#switches input");
  let unpacked = null;
  const contents = () => (unpacked ||= unpack());
  const show = async (view) => {
    const { hues } = await contents();
    const shown = switches.filter((box) => box.checked).map((box) => hues[Number(box.value)]);
    try { await view.signal("shown", shown).runAsync(); } catch { /* a chart without hues */ }
  };

  const cells = (column) => (Array.isArray(column) ? column : column.at);  // arrays have a method `at`
  const rows = (columns) => {
    const names = Object.keys(columns);
    const value = (column, index) => (Array.isArray(column) ? column[index] : column.of[column.at[index]]);
    const length = names.length ? cells(columns[names[0]]).length : 0;
    return Array.from({ length }, (_, index) => Object.fromEntries(names.map((name) => [name, value(columns[name], index)])));
  };

  // A chart takes the width of its place. Panels are spread evenly over their rows; on a narrow screen legends have
  // fewer columns, and the names at the ends of lines are listed below the chart.
  const NARROW = 560;
  const STRETCH = 2.6;
  const count = (spec, data) => {
    const column = (data[spec.data.name] || {})[spec.facet.field];
    return new Set(column ? cells(column) : []).size || 1;
  };
  const walk = (node, visit) => {
    if (!node || typeof node !== "object") return;
    visit(node);
    Object.entries(node).forEach(([key, value]) => { if (key !== "datasets") walk(value, visit); });
  };
  const is_names = (layer) => layer.mark && layer.mark.type === "text" && layer.encoding.y && layer.encoding.y.field === "place";
  const LEFT = 30;  // at least so wide are the labels left of a view, where its title begins
  // A text of some lines in lines that are at most as wide as the room.
  const pen = document.createElement("canvas").getContext("2d");
  const wrapped = (lines, font, room) => {
    pen.font = font;
    const wide = (text) => pen.measureText(text).width > room;
    return lines.join(" ").split(" ").reduce((done, word) => {
      const longer = done.length ? `${done[done.length - 1]} ${word}` : word;
      return !done.length || wide(longer) ? [...done, word] : [...done.slice(0, -1), longer];
    }, []);
  };
  // Views in columns. Where there is no room for these, all views are in one, by the numbers that their titles begin with.
  const in_columns = (spec, room, panel, trim) => {
    const number = (view) => parseInt(view.title.text[0], 10);
    // The data of a column with a single view is that of the column.
    const views = spec.hconcat.flatMap(({ data, vconcat }) => vconcat.map((view) => Object.assign(view, data && { data })))
      .sort((one, other) => number(one) - number(other));
    const fit = Math.max(1, Math.min(spec.hconcat.length, Math.floor((room + 12) / panel)));
    if (fit < spec.hconcat.length) spec.hconcat = [{ ...spec.hconcat[0], vconcat: views }];
    spec.columns = spec.hconcat.length;
    const own = views[0].width;
    const width = width_of(own, room, spec.columns, panel, trim);
    const { font, title: { fontSize, subtitleFontSize } } = spec.config;
    views.forEach((view) => {
      const { title } = view;
      view.width = width;
      title.text = wrapped(title.text, `bold ${fontSize}px ${font}`, width + LEFT);
      if (title.subtitle) title.subtitle = wrapped(title.subtitle, `${subtitleFontSize}px ${font}`, width + LEFT);
    });
    return spec;
  };
  const width_of = (own, room, columns, panel, trim) =>
    Math.floor(Math.max(Math.min(own, 140), Math.min(own * STRETCH, room / columns - (panel - own) - trim)));
  const own_x = (spec) => spec.resolve.scale && spec.resolve.scale.x === "independent";
  const fitted = ({ spec: given, data, panel, labels, names }, room, trim = 0) => {
    const spec = structuredClone(given);
    if (room < NARROW) {
      walk(spec, (node) => {
        if (!node.legend || !node.scale || !node.scale.domain) return;
        const longest = Math.max(...node.scale.domain.map((name) => String(name).length));
        node.legend.columns = Math.max(1, Math.floor((room - 50) / (46 + 6.4 * longest)));
      });
    }
    if (!panel) {
      const listed = room < NARROW && names.length > 0;
      if (listed) spec.layer = spec.layer.filter((layer) => !is_names(layer));
      spec.width = Math.max(160, Math.min(680, room - (listed ? 0 : labels) - 70 - trim));
      return spec;
    }
    if (spec.hconcat) return in_columns(spec, room, panel, trim);
    const own = spec.spec.width;
    const panels = count(spec, data);
    const fit = Math.max(1, Math.min(spec.columns || 99, panels, Math.floor((room + 12) / panel)));
    spec.columns = Math.ceil(panels / Math.ceil(panels / fit));
    const width = width_of(own, room, spec.columns, panel, trim);
    spec.spec.width = width;
    spec.facet.header = { ...spec.facet.header, labelLimit: width + 16 };
    // Panels share the x axes of the last row if that has no gap: the panels above one would have none. In a single
    // column the axis would be too far away.
    const own_axes = panels % spec.columns || spec.columns === 1 || own_x(spec);
    if (spec.resolve.axis) spec.resolve.axis.x = own_axes ? "independent" : "shared";
    return spec;
  };

  const drawing = (kind, attributes) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", kind);
    Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
    return element;
  };
  // Each name with its line as it is drawn: colour, dash and the shape of its marks.
  const list = (names) => {
    const items = document.createElement("ul");
    items.className = "names";
    names.forEach(([name, colour, dash, shape]) => {
      const item = document.createElement("li");
      const picture = drawing("svg", { width: 42, height: 14, "aria-hidden": "true" });
      const dashes = dash[1] ? dash.join(" ") : "none";
      picture.append(drawing("line", { x1: 0, x2: 42, y1: 7, y2: 7, stroke: colour, "stroke-width": 2, "stroke-dasharray": dashes }));
      if (shape) picture.append(drawing("path", { d: shape, fill: colour, transform: "translate(14 0)" }));
      item.append(picture, name);
      items.append(item);
    });
    return items;
  };

  const draw = async (element) => {
    const name = element.dataset.chart;
    if (views.has(name)) return;
    views.set(name, null);
    try {
      const chart = (await contents()).charts[name];
      const datasets = Object.fromEntries(Object.entries(chart.data).map(([key, columns]) => [key, rows(columns)]));
      const room = element.clientWidth;
      const embed = (trim) => window.vegaEmbed(element, { ...fitted(chart, room, trim), datasets }, {
        ast: true, actions: false, renderer: "svg", mode: "vega-lite", defaultStyle: false,
        tooltip: { disableDefaultStyle: true },
      });
      let result = await embed(0);
      const over = element.scrollWidth - room;
      if (over > 1) {  // labels of axes are as wide as their texts, which are known only when they are drawn
        result.finalize();
        result = await embed(Math.ceil(over / (fitted(chart, room).columns || 1)) + 2);
      }
      if (room < NARROW && chart.names.length) element.append(list(chart.names));
      views.set(name, result.view);
      element.classList.remove("waiting");
      if (switches.some((box) => !box.checked)) await show(result.view);
    } catch (error) {
      element.textContent = `This chart could not be drawn: ${error.message}`;
      element.classList.add("error");
      console.error(error);
    }
  };

  const places = all("[data-chart]");
  places.forEach((place) => { place.textContent = ""; place.classList.add("waiting"); });
  const seen = new IntersectionObserver((entries) => entries.forEach((entry) => {
    if (entry.isIntersecting) { seen.unobserve(entry.target); draw(entry.target); }
  }), { rootMargin: "400px" });
  places.forEach((place) => seen.observe(place));
  const later = window.requestIdleCallback || ((work) => setTimeout(work, 200));
  const rest = async () => {
    const next = places.find((place) => !views.has(place.dataset.chart));
    if (!next) { document.documentElement.dataset.drawn = String(views.size); return; }
    await draw(next);
    later(rest);
  };
  window.addEventListener("load", () => later(rest));
  let folded = [];
  window.addEventListener("beforeprint", () => {
    places.forEach(draw);
    folded = all("details:not([open])");
    folded.forEach((details) => { details.open = true; });
  });
  window.addEventListener("afterprint", () => folded.forEach((details) => { details.open = false; }));
  switches.forEach((box) => box.addEventListener("change", () => views.forEach((view) => view && show(view))));

  const save = (href, name) => {
    const link = document.createElement("a");
    link.href = href;
    link.download = name;
    link.click();
  };
  all("[data-save]").forEach((button) => button.addEventListener("click", async () => {
    const name = button.closest("figure").querySelector("[data-chart]").dataset.chart;
    const view = views.get(name);
    if (!view) return;
    if (button.dataset.save === "png") { save(await view.toImageURL("png", 2), `${name}.png`); return; }
    save(URL.createObjectURL(new Blob([await view.toSVG()], { type: "image/svg+xml" })), `${name}.svg`);
  }));

  // Tables: sort by a click on a head, filter by words, copy the rows shown.
  const text = (cell) => (cell.firstChild && cell.firstChild.nodeType === 3 ? cell.firstChild.data : cell.textContent).trim();
  const number = (content) => Number.parseFloat(content.replaceAll(",", "").replace("−", "-"));
  const compare = (a, b) => {
    const [x, y] = [number(a), number(b)];
    if (!a || !b) return Number(!a) - Number(!b);
    return Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b) : x - y;
  };
  all("table.data").forEach((table) => all("thead th", table).forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      all("thead th", table).forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const body = table.tBodies[0];
      const keyed = [...body.rows].map((row) => [text(row.cells[column]), row]);
      keyed.sort(([a], [b]) => (!a || !b ? compare(a, b) : down ? compare(b, a) : compare(a, b)));
      body.append(...keyed.map(([, row]) => row));
    });
  }));

  const table = document.getElementById("trials-table");
  const filter = document.getElementById("filter");
  const everything = document.getElementById("all");
  let keys = null;
  const heads = table ? all("thead th", table).map((head) => head.textContent) : [];
  const sift = () => {
    if (!table) return;
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const place = heads.indexOf("artefact");
    const absent = new Set(keys);
    let count = 0;
    for (const row of table.tBodies[0].rows) {
      const cells = [...row.cells].map((cell) => cell.textContent.toLowerCase());
      const key = place < 0 ? "" : text(row.cells[place]);
      const wanted = !keys || keys.has(key);
      absent.delete(key);
      row.hidden = !(wanted && words.every((word) => cells.some((cell) => cell.includes(word))));
      count += row.hidden ? 0 : 1;
    }
    const of = `${count} of ${"cut" in table.dataset ? "the first " : ""}${table.tBodies[0].rows.length}`;
    document.getElementById("count").textContent = absent.size ? `${of}, ${absent.size} not in this table` : of;
    everything.hidden = !keys && !words.length;
  };
  let waiting = 0;
  if (table) {
    filter.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(sift, 80); });
    everything.addEventListener("click", () => { keys = null; filter.value = ""; sift(); filter.focus(); });
  }
  all(".behind").forEach((button) => button.addEventListener("click", () => {
    keys = new Set(button.dataset.keys.split(" "));
    filter.value = "";
    sift();
    document.getElementById("trials").scrollIntoView();
    filter.focus({ preventScroll: true });
  }));

  const content = (name) => {
    const source = document.getElementById(name);
    const body = [...source.tBodies[0].rows].filter((row) => !row.hidden);
    return [all("thead th", source), ...body.map((row) => [...row.cells])].map((cells) => cells.map(text));
  };
  const quoted = (cell) => (/[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
  const tex = (cell) => cell.replace(/\\/g, "\\textbackslash ").replace(/[&%$#_{}]/g, "\\$&").replace(/[~^]/g, "\\$&{}").replace(/−/g, "$-$").replace(/ᶜ/g, "$$^{c}$$");
  const formats = {
    csv: (lines) => lines.map((line) => line.map(quoted).join(",")).join("\n") + "\n",
    md: ([head, ...lines]) => [head, head.map(() => "---"), ...lines].map((line) => `| ${line.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`).join("\n") + "\n",
    latex: ([head, ...lines]) => {
      const row = (line) => `${line.map(tex).join(" & ")} \\\\`;
      return ["\\begin{tabular}{l" + "r".repeat(head.length - 1) + "}", "\\toprule", row(head), "\\midrule", ...lines.map(row), "\\bottomrule", "\\end{tabular}", ""].join("\n");
    },
  };
  const copy = async (value) => {
    try { await navigator.clipboard.writeText(value); return; } catch { /* not allowed from a file: use the older way */ }
    const area = document.createElement("textarea");
    area.value = value;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  };
  all("[data-copy]").forEach((button) => button.addEventListener("click", async () => {
    await copy(formats[button.dataset.copy](content(button.closest("[data-table]").dataset.table)));
    const name = button.textContent;
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = name; }, 1200);
  }));

  // Light and dark.
  const theme = document.getElementById("theme");
  const root = document.documentElement;
  const dark = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const label = () => { theme.textContent = dark() ? "Light" : "Dark"; };
  theme.addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; label(); });
  label();

  // While a study runs, its page reloads itself. Theme, filter and the place being read stay as they are.
  if ("watched" in root.dataset) {
    const marks = all("main [id]");
    const top = (mark) => mark.getBoundingClientRect().top;
    const { chosen, words, id, offset } = history.state || {};
    if (chosen) { root.dataset.theme = chosen; label(); }
    filter.value = words || "";
    const place = id && document.getElementById(id);
    history.scrollRestoration = "manual";
    if (place) window.scrollBy(0, top(place) - offset);
    window.addEventListener("beforeunload", () => {
      const mark = marks.filter((candidate) => top(candidate) <= 60).pop();
      const read = mark && window.scrollY ? { id: mark.id, offset: top(mark) } : {};
      history.replaceState({ chosen: root.dataset.theme, words: filter.value, ...read }, "");
    });
  }

  reveal([theme, ...all(".tools, .filter, .behind")]);
  sift();
})();

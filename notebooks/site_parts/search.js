// The search: every word must stand in a section, as it is or as a part of a longer word; titles count most.
// SECTIONS comes from search_index.js: {file, page, title, text} for each section of the site.

const MOST = 40, AROUND = 90;
const plain = text => text.toLowerCase().replace(/[\u0300-\u036f]/g, "");

function find(question, sections) {
  const words = plain(question).split(/\s+/).filter(word => word);
  if (!words.length) return [];
  return sections.map(section => ({ section, score: score(words, section) }))
    .filter(found => found.score > 0).sort((a, b) => b.score - a.score).map(found => found.section);
}

function score(words, section) {
  const [title, page, text] = [section.title, section.page, section.text].map(plain);
  let sum = 0;
  for (const word of words) {
    const here = 20 * title.includes(word) + 4 * page.includes(word) + Math.log2(text.split(word).length);
    if (!here) return 0;
    sum += here;
  }
  return sum;
}

// A piece of the text around the first of the words, which are marked; nothing of it is read as HTML.
function excerpt(text, words) {
  const places = words.map(word => plain(text).indexOf(word)).filter(place => place >= 0);
  const at = places.length ? Math.max(0, Math.min(...places) - AROUND) : 0;
  const piece = (at ? "… " : "") + text.slice(at, at + 3 * AROUND) + (at + 3 * AROUND < text.length ? " …" : "");
  const shown = document.createElement("p");
  let from = 0;
  while (from < piece.length) {
    const next = words.map(word => [plain(piece).indexOf(word, from), word.length]).filter(([place]) => place >= 0)
      .sort((a, b) => a[0] - b[0])[0];
    if (!next) break;
    const marked = document.createElement("mark");
    marked.textContent = piece.slice(next[0], next[0] + next[1]);
    shown.append(piece.slice(from, next[0]), marked);
    from = next[0] + next[1];
  }
  shown.append(piece.slice(from));
  return shown;
}

function show(question) {
  const words = plain(question).split(/\s+/).filter(word => word), found = find(question, SECTIONS);
  const rows = found.slice(0, MOST).map(section => {
    const row = document.createElement("li"), link = document.createElement("a"), page = document.createElement("span");
    link.href = section.file;
    link.textContent = section.title;
    page.className = "soft";
    page.textContent = section.title === section.page ? "" : ` · ${section.page}`;
    row.append(link, page, excerpt(section.text, words));
    return row;
  });
  document.getElementById("found").replaceChildren(...rows);
  document.getElementById("said").textContent = !words.length ? "" : !found.length ? `Nothing found for “${question.trim()}”.`
    : `${found.length} section${found.length === 1 ? "" : "s"}` + (found.length > MOST ? `, the first ${MOST} are shown` : "");
}

const asked = document.getElementById("q");
asked.value = new URLSearchParams(location.search).get("q") || "";
asked.addEventListener("input", () => show(asked.value));
show(asked.value);

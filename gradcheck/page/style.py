"""How the report page looks (CSS) and the few lines that open and fold its sections (plain JavaScript).

Blue is right, orange is wrong, in light and dark; a tick or a cross says the same without colour.
"""

CSS = """
:root { color-scheme: light dark;
  --paper: #fbfaf7; --card: #fff; --ink: #1f2328; --soft: #5c6570; --line: #d5dae0; --pale: #eef0f2; --tint: #fdf0e6;
  --right: #0072b2; --wrong: #bd4b00; --forward: #b0508a; --central: #00805c;
  --heat0: #e3eef6; --heat1: #bdd6e9; --heat2: #fbdcbd; --heat3: #fbb878; --heat4: #ee8a3c; --heat5: #c9510c;
  --heat6: #7d2c00; }
@media screen and (prefers-color-scheme: dark) { :root {
  --paper: #14171b; --card: #1b1f25; --ink: #e3e6ea; --soft: #9aa5b1; --line: #39414b; --pale: #252b32; --tint: #33241a;
  --right: #5fb6ea; --wrong: #ff9a55; --forward: #e7a1ca; --central: #45c99f;
  --heat0: #1f3445; --heat1: #2c5270; --heat2: #5b3d22; --heat3: #8d5419; --heat4: #cc7420; --heat5: #ffa052;
  --heat6: #ffe0bf; } }
* { box-sizing: border-box; }
html { scroll-padding-top: 3.6rem; -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, "Segoe UI", Roboto, "Noto Sans",
  "DejaVu Sans", sans-serif; }
main, .bar > div, footer > div { max-width: 84rem; margin: 0 auto; padding: 0 1.2rem; }
code, pre, .num { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .86em; }
a { color: var(--right); text-decoration-thickness: 1px; text-underline-offset: 2px; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 1.6rem 0 .3rem; }
h2 { font-size: 1.2rem; margin: 2.2rem 0 .6rem; }
h3 { font-size: 1rem; margin: 1.4rem 0 .4rem; }
p { margin: .4rem 0; max-width: 46rem; }
.soft, .num, figcaption, th { color: var(--soft); }
.right { color: var(--right); } .wrong { color: var(--wrong); }
.bar { position: sticky; top: 0; z-index: 5; background: var(--paper); border-bottom: 1px solid var(--line); }
.bar > div { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; align-items: baseline; padding-top: .5rem;
  padding-bottom: .5rem; }
.bar span:first-child { font-weight: 600; margin-right: auto; }
button { font: inherit; font-size: .88rem; color: var(--right); background: none; border: 0; padding: 0; cursor: pointer;
  text-decoration: underline; text-underline-offset: 2px; text-decoration-thickness: 1px; }
.counts { display: flex; flex-wrap: wrap; gap: .3rem 2rem; margin: .8rem 0 0; padding: 0; list-style: none; }
.counts b { font-size: 1.5rem; margin-right: .35rem; }
.contents { display: grid; grid-template-columns: repeat(auto-fill, minmax(15.5rem, 1fr)); gap: .1rem 1.2rem;
  margin: .3rem 0 0; padding: 0; list-style: none; font-size: .92rem; }
.contents li { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.contents a { color: var(--ink); text-decoration: none; }
.contents a:hover { text-decoration: underline; }
.contents code { color: var(--soft); }
.mark { display: inline-block; width: 1.15em; font-weight: 700; }
details.item { background: var(--card); border: 1px solid var(--line); border-left: 4px solid var(--right);
  border-radius: 6px; margin: .45rem 0; }
details.item.is-wrong { border-left-color: var(--wrong); }
details.item > summary { display: grid; grid-template-columns: minmax(9rem, 14rem) minmax(7rem, 13.5rem) 1fr 8rem 4.5rem;
  gap: .1rem .8rem; align-items: baseline; padding: .5rem .9rem; cursor: pointer; list-style: none; }
details.item > summary::-webkit-details-marker { display: none; }
details.item > summary:hover { background: var(--pale); border-radius: 6px; }
details.item > summary code { overflow-wrap: anywhere; }
details.item[open] > summary { border-bottom: 1px solid var(--line); border-radius: 6px 6px 0 0; }
summary .name { font-weight: 600; } summary .num { text-align: right; white-space: nowrap; }
.strip { position: relative; align-self: center; height: .9rem; border-bottom: 1px solid var(--line); }
.strip i { position: absolute; bottom: -1px; width: 1px; height: .8rem; background: var(--soft); }
.strip b { position: absolute; bottom: -4px; width: 9px; height: 9px; margin-left: -4px; border-radius: 50%;
  background: currentColor; }
.inside { padding: .4rem 1.1rem 1.1rem; }
.about { min-width: 0; } .about > span { display: block; }
.math { line-height: 2; overflow-x: auto; overflow-y: hidden; }
details.item[open] > summary .math { font-size: 1.25rem; padding: .5rem 0; }
.math svg { overflow: visible; margin-right: .45em; }
.latex { white-space: normal; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: .6rem 0; font-size: .92rem; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
.remark { background: var(--tint); border-left: 3px solid var(--wrong); border-radius: 0 4px 4px 0; padding: .6rem .9rem;
  margin: .8rem 0; }
.remark p { margin: .2rem 0; } .remark ul { margin: .3rem 0; padding-left: 1.2rem; }
.remark pre.code { margin: .4rem 0; padding: .4rem .8rem; }
.values { display: flex; flex-wrap: wrap; gap: .1rem 1.6rem; align-items: baseline; }
.values b { font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 1.02em; }
.path { display: grid; grid-template-columns: 1fr auto 1fr; gap: .8rem; align-items: center; margin: .9rem 0; }
.path > div { border: 1px solid var(--line); border-top: 3px solid currentColor; border-radius: 4px; padding: .5rem .8rem;
  background: var(--card); }
.path small { display: block; } .path span { color: var(--ink); overflow-wrap: anywhere; }
.path > i { font-size: 1.6rem; font-style: normal; color: var(--soft); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; margin: .4rem 0; }
th { text-align: left; font-weight: 500; white-space: nowrap; } th.num { font: inherit; font-weight: 500; }
td { white-space: nowrap; } td:last-child { white-space: normal; } th, td { padding: .18rem 1.1rem .18rem 0; vertical-align: top; }
tbody tr { border-top: 1px solid var(--line); } td.num, th.num { text-align: right; }
.pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(19rem, 100%), 1fr)); gap: .6rem 1.6rem; }
.pictures figure { max-width: 25rem; }
figure { margin: 0; min-width: 0; } figcaption { font-size: .86rem; line-height: 1.4; }
svg.picture { display: block; width: 100%; height: auto; }
svg.picture text { font-family: inherit; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(34rem, 100%), 1fr)); gap: .8rem; }
pre.code { margin: .2rem 0 0; padding: .6rem 0; overflow-x: auto; background: var(--pale); border-radius: 5px;
  font-size: .74rem; line-height: 1.55; tab-size: 4; }
pre.code span.row { display: block; min-width: max-content; padding-right: .8rem; }
pre.code span.row::before { content: attr(data-n); display: inline-block; width: 3.2em; margin-right: .9em; text-align: right;
  color: var(--soft); opacity: .7; user-select: none; }
pre.code span.row.bad { background: var(--tint); box-shadow: inset 3px 0 var(--wrong); }
pre.code em { color: var(--soft); font-style: italic; }
mark { background: none; color: var(--wrong); font-weight: 700; text-decoration: underline wavy 1px; }
details.more { margin: .8rem 0; } details.more > summary { color: var(--right); cursor: pointer; font-size: .92rem; }
footer { border-top: 1px solid var(--line); margin-top: 3rem; padding: .8rem 0 2rem; font-size: .88rem; }
@media (max-width: 60rem) {
  details.item > summary { grid-template-columns: 1fr auto; }
  summary .strip { display: none; } summary .num { grid-area: 1 / 2; }
  summary code, summary .about { grid-column: 1 / -1; } }
@media (max-width: 36rem) {
  main, .bar > div, footer > div { padding-left: .7rem; padding-right: .7rem; }
  th, td { padding-right: .6rem; } td { white-space: normal; } td:first-child, td.num { white-space: nowrap; }
  .inside { padding: .3rem .7rem .9rem; } dl { grid-template-columns: 1fr; } dd { margin-bottom: .3rem; }
  .path { grid-template-columns: 1fr; } .path > i { transform: rotate(90deg); justify-self: center; line-height: 1; }
  .contents { grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); }
  .contents.model, .contents.chain { grid-template-columns: 1fr; }
  .contents.equation code, .contents.kernel code { display: none; } .bar span:first-child { flex-basis: 100%; } }
@media print {
  body { font-size: 10pt; } h2, h3, summary { break-after: avoid; } .bar, .no-print { display: none; }
  .pictures figure, pre.code, .remark { break-inside: avoid; }
  .pictures { grid-template-columns: repeat(3, 1fr); } details.item { break-inside: auto; }
  pre.code { font-size: 7pt; white-space: pre-wrap; } pre.code span.row { min-width: 0; } }
"""

SCRIPT = """
const items = () => document.querySelectorAll('details.item');
document.querySelectorAll('button[data-open]').forEach(button => button.addEventListener('click',
  () => items().forEach(item => { item.open = button.dataset.open === 'yes'; })));
function openTarget() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target && target.tagName === 'DETAILS') { target.open = true; target.scrollIntoView(); }
}
addEventListener('hashchange', openTarget);
openTarget();
"""

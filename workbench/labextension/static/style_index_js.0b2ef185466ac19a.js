"use strict";(self.rspackChunk_kernel_workbench_lab=self.rspackChunk_kernel_workbench_lab||[]).push([["style_index_js"],{"./node_modules/css-loader/dist/cjs.js!./style/index.css"(e,o,a){var r=a("./node_modules/css-loader/dist/runtime/noSourceMaps.js"),t=a.n(r),n=a("./node_modules/css-loader/dist/runtime/api.js"),i=a.n(n),w=a("./node_modules/css-loader/dist/cjs.js!../src/viz/workbench.css"),k=a("./node_modules/css-loader/dist/cjs.js!./style/lab.css"),l=i()(t());l.i(w.A),l.i(k.A),l.push([e.id,`
`,""]),a.d(o,{},{A:l})},"./node_modules/css-loader/dist/cjs.js!./style/lab.css"(e,o,a){var r=a("./node_modules/css-loader/dist/runtime/noSourceMaps.js"),t=a.n(r),n=a("./node_modules/css-loader/dist/runtime/api.js"),i=(a.n(n))()(t());i.push([e.id,`/* The extension's own surfaces: side panel, tabs, progress. Views bring their rules from viz/workbench.css. */
.kw-lab-panel, .kw-lab-tab {
  --kw-ink: var(--jp-ui-font-color1, #1b1f24); --kw-soft: #56606c; --kw-line: #e1e5ea; --kw-accent: #0b65c2; --kw-warn: #9a5b00; --kw-bad: #b3261e;
  --kw-mono-family: var(--jp-code-font-family, monospace);
  background: var(--jp-layout-color1); color: var(--kw-ink); font: 13px/1.45 var(--jp-ui-font-family); overflow: auto; min-width: 0;
}
body[data-jp-theme-light="false"] :is(.kw-lab-panel, .kw-lab-tab) { --kw-soft: #a3acb8; --kw-line: #363c44; --kw-accent: #6cb2ff; --kw-warn: #e0a34a; --kw-bad: #ff8a80; }
:is(.kw-lab-panel, .kw-lab-tab) * { box-sizing: border-box; }
:is(.kw-lab-panel, .kw-lab-tab) :focus-visible { outline: 2px solid var(--kw-accent); outline-offset: -2px; border-radius: 4px; }
:is(.kw-lab-panel, .kw-lab-tab) > * { min-width: 0; }

.kw-lab-panel header { display: flex; align-items: center; gap: 8px; padding: 9px 14px; border-bottom: 1px solid var(--kw-line); position: sticky; top: 0; background: var(--jp-layout-color1); }
.kw-lab-panel h2 { margin: 0; font: 600 13px/1.5 var(--jp-ui-font-family); white-space: nowrap; }
.kw-lab-panel header div { flex: 1; min-width: 0; }
.kw-lab-panel header span { display: block; font-size: 12px; color: var(--kw-soft); overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.kw-lab-panel h3 { margin: 0; padding: 12px 14px 3px; font: 400 12px/1.4 var(--jp-ui-font-family); color: var(--kw-soft); }
.kw-lab-panel ul { list-style: none; margin: 0; padding: 0; }
.kw-lab-panel li button { display: block; width: 100%; padding: 4px 14px 5px; border: 0; border-left: 3px solid transparent; background: none; color: inherit; text-align: left; cursor: pointer; font: inherit; }
.kw-lab-panel li button:hover, .kw-lab-panel li button:focus-visible { background: color-mix(in oklab, var(--kw-accent) 9%, transparent); border-left-color: var(--kw-accent); }
.kw-lab-panel li b { display: block; font: 600 12.5px/1.5 var(--kw-mono-family); overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.kw-lab-panel li span { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; font-size: 12px; color: var(--kw-soft); overflow: hidden; overflow-wrap: anywhere; }
.kw-lab-panel .kw-lab-empty { padding: 14px; color: var(--kw-soft); } .kw-lab-empty p { margin: 0 0 8px; }
.kw-lab-empty code { display: block; padding: 6px 10px; border: 1px solid var(--kw-line); border-radius: 6px; font: 12px/1.5 var(--kw-mono-family); color: var(--kw-ink); background: none; }
.kw-lab-row { display: flex; flex-wrap: wrap; gap: 6px; margin-top: 10px; }
:is(.kw-lab-empty, .kw-lab-panel header, .kw-lab-progress, .kw-lab-dims, .kw-trouble) button { border: 1px solid var(--kw-line); background: var(--jp-layout-color1); color: var(--kw-ink); border-radius: 6px; padding: 3px 10px; font: 12.5px/1.5 var(--jp-ui-font-family); cursor: pointer; }
:is(.kw-lab-empty, .kw-lab-panel header, .kw-lab-progress, .kw-lab-dims, .kw-trouble) button:hover { border-color: var(--kw-soft); }

.kw-lab-tab { padding: 10px 12px; }
.kw-lab-tab .kw { max-width: none; } .kw-lab-tab .kw select { max-width: 100%; }
.kw-is-stale .kw-place-of-view { opacity: .8; }
.kw-title-stale .lm-TabBar-tabLabel { font-style: italic; }
.kw-lab-progress, .kw-lab-dims { display: flex; flex-wrap: wrap; align-items: center; gap: 6px 12px; padding: 4px 2px 10px; } .kw-lab-progress:empty, .kw-lab-dims:empty { display: none; }
.kw-lab-progress progress { width: 160px; accent-color: var(--kw-accent); }
.kw-lab-dims label { display: flex; align-items: center; gap: 6px; } .kw-lab-dims code { font: 12.5px/1.5 var(--kw-mono-family); background: none; color: inherit; padding: 0; }
.kw-lab-dims input { width: 76px; padding: 3px 6px; border: 1px solid var(--kw-line); border-radius: 6px; background: var(--jp-layout-color1); color: var(--kw-ink); font: 12.5px/1.5 var(--kw-mono-family); }
.kw-trouble { padding: 12px 16px; } .kw-trouble h2 { margin: 0 0 6px; font: 600 13.5px/1.5 var(--kw-sans); color: var(--kw-bad); overflow-wrap: anywhere; }
.kw-trouble ul { margin: 0 0 8px; padding-left: 18px; max-height: 50vh; overflow: auto; font: 12px/1.6 var(--kw-mono-family); overflow-wrap: anywhere; } .kw-trouble p { margin: 0 0 8px; color: var(--kw-soft); }
.kw-rendered { padding: 2px 0; min-width: 0; }
.kw-calm .kw, .kw-calm .kw * { transition: none !important; animation: none !important; }
`,""]),a.d(o,{},{A:i})},"./node_modules/css-loader/dist/cjs.js!../src/viz/workbench.css"(e,o,a){var r=a("./node_modules/css-loader/dist/runtime/noSourceMaps.js"),t=a.n(r),n=a("./node_modules/css-loader/dist/runtime/api.js"),i=(a.n(n))()(t());i.push([e.id,`/* Fonts, spacing and surfaces are the page's own where it names them; inks are ours, in two themes. */
.kw {
  --kw-ground: var(--jp-layout-color1, var(--vscode-editor-background, #ffffff));
  --kw-ink: #1b1f24; --kw-soft: #56606c; --kw-faint: #5c6672; --kw-line: #e1e5ea; --kw-panel: #f7f8fa;
  --kw-accent: #0b65c2; --kw-good: #1a7f48; --kw-warn: #9a5b00; --kw-bad: #b3261e;
  --kw-keyword: #7a3e9d; --kw-number: #0b6e6e; --kw-string: #8a4b08;
  --kw-sans: var(--jp-ui-font-family, system-ui, -apple-system, "Segoe UI", Inter, "DejaVu Sans", sans-serif);
  --kw-mono-family: var(--jp-code-font-family, ui-monospace, "JetBrains Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace);
  container-type: inline-size; box-sizing: border-box; max-width: 1180px; margin: 2px 0;
  border: 1px solid var(--kw-line); border-radius: 8px; overflow: hidden;
  background: var(--kw-ground); color: var(--kw-ink); font: 13px/1.45 var(--kw-sans);
}
.kw.kw-dark {
  --kw-ground: var(--jp-layout-color1, var(--vscode-editor-background, #14171b));
  --kw-ink: #e6e9ed; --kw-soft: #a3acb8; --kw-faint: #98a2ae; --kw-line: #363c44; --kw-panel: color-mix(in oklab, var(--kw-ink) 4%, var(--kw-ground));
  --kw-accent: #6cb2ff; --kw-good: #57c78a; --kw-warn: #e0a34a; --kw-bad: #ff8a80;
  --kw-keyword: #c69af0; --kw-number: #69c9c9; --kw-string: #e0b07a; color-scheme: dark;
}
.kw *, .kw *::before { box-sizing: border-box; }
.kw-program { max-width: none; }
.kw [hidden] { display: none !important; }
.kw :focus-visible { outline: 2px solid var(--kw-accent); outline-offset: 1px; border-radius: 4px; }
.kw .kw-code:focus-visible, .kw .kw-diff:focus-visible, .kw .kw-steps:focus-visible, .kw .kw-scroll:focus-visible, .kw .kw-area:focus-visible { outline-offset: -2px; border-radius: 6px; }
.kw-hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.kw h3 { margin: 0 0 8px; font: 400 12px/1.4 var(--kw-sans); color: var(--kw-soft); }
.kw h3 b { font-weight: 600; color: var(--kw-ink); margin-right: 6px; }
.kw h3 select { margin-left: 10px; }
.kw-soft { color: var(--kw-soft); } .kw-good { color: var(--kw-good); } .kw-keyword { color: var(--kw-keyword); }
.kw-num { color: var(--kw-number); } .kw-comment { color: var(--kw-faint); } .kw-string { color: var(--kw-string); }
.kw-bar { display: flex; align-items: center; gap: 10px; padding: 9px 14px; border-bottom: 1px solid var(--kw-line); flex-wrap: wrap; }
.kw-grow { flex: 1 1 260px; min-width: 0; }
.kw-bar-facts { min-height: 36px; padding: 6px 14px; position: relative; }
.kw-facts { color: var(--kw-soft); } .kw-facts b, .kw-where b { color: var(--kw-ink); font-weight: 600; }
.kw-dot { color: var(--kw-faint); margin: 0 3px; }
.kw-expression { width: 100%; padding: 6px 10px; font: 15px/1.4 var(--kw-mono-family); border: 1px solid var(--kw-line); border-radius: 6px; background: var(--kw-ground); color: var(--kw-ink); }
.kw-expression.kw-wrong { border-color: var(--kw-bad); }
.kw-error:empty { display: none; }
.kw-error { display: flex; gap: 4px 14px; flex-wrap: wrap; align-items: baseline; color: var(--kw-bad); }
.kw-error mark { background: none; color: inherit; text-decoration: underline wavy var(--kw-bad) 1px; text-underline-offset: 3px; }
.kw code, .kw-place { font: 12px/1.5 var(--kw-mono-family); background: none; color: inherit; padding: 0; white-space: pre; }
/* Tools, refusals */
.kw-tools { align-items: baseline; border-bottom: 0; border-top: 1px solid var(--kw-line); padding: 3px 14px; gap: 2px; font-size: 12px; } .kw .kw-tools button { padding: 2px 7px; font-size: 12px; } .kw-tools [role="status"] { margin-left: 8px; overflow-wrap: anywhere; }
.kw-twin-text { margin: 0; padding: 10px 14px; font: 12px/1.5 var(--kw-mono-family); overflow: auto; max-height: 560px; white-space: pre; }
/* Mapping: factors, comparison, window */
.kw-icon { padding: 3px 8px; } .kw button:disabled { color: var(--kw-faint); cursor: default; opacity: .6; }
.kw button[aria-disabled="true"] { color: var(--kw-faint); cursor: default; border-style: dashed; }
.kw-preset { flex: 0 1 215px; min-width: 90px; } .kw-bar-chips > .kw-quiet { margin-left: auto; }
.kw-bar-chips { background: var(--kw-panel); padding: 8px 14px; justify-content: space-between; }
.kw-chips { flex: 1 1 0; display: flex; flex-wrap: wrap; align-items: center; gap: 6px 5px; min-width: 230px; max-height: 172px; overflow: auto; padding: 3px; margin: -3px; }
.kw .kw-chip { position: relative; display: inline-flex; align-items: baseline; padding: 3px 11px; font: 12.5px/1.6 var(--kw-mono-family); border: 1px solid var(--kw-line); border-radius: 6px; background: var(--kw-ground); white-space: pre; max-width: 100%; overflow-wrap: anywhere; }
.kw button.kw-chip { padding-left: 8px; touch-action: none; cursor: grab; }
.kw button.kw-chip[aria-expanded="true"], .kw .kw-add[aria-expanded="true"] { border-color: var(--kw-accent); box-shadow: inset 0 0 0 1px var(--kw-accent); }
.kw-chip b { font-weight: 400; } .kw-chip b.kw-spatial { color: var(--kw-accent); } .kw-chip b.kw-repeat { color: var(--kw-keyword); } .kw-chip small { color: var(--kw-soft); font-size: 11px; }
.kw-grip { align-self: center; width: 7px; height: 13px; margin-right: 8px; background: radial-gradient(circle, var(--kw-faint) 1px, transparent 1.3px) 0 0 / 3.5px 4.4px; }
.kw-times { color: var(--kw-faint); font: 12px var(--kw-mono-family); }
.kw .kw-add { border-style: dashed; color: var(--kw-soft); background: none; }
.kw-dragged { opacity: .5; cursor: grabbing; }
.kw-chip.kw-before::before, .kw-chip.kw-after::before { content: ""; position: absolute; top: -3px; bottom: -3px; width: 3px; border-radius: 2px; background: var(--kw-accent); left: -10px; }
.kw-chip.kw-after::before { left: auto; right: -10px; }
.kw .kw-quiet { border-color: transparent; background: none; color: var(--kw-accent); }
.kw-editor { background: var(--kw-panel); padding: 7px 44px 7px 14px; gap: 7px; position: relative; } .kw .kw-editor .kw-quiet { position: absolute; right: 12px; top: 7px; padding: 3px 8px; color: var(--kw-soft); }
.kw input[type="text"], .kw input[type="number"] { border: 1px solid var(--kw-line); border-radius: 6px; background: var(--kw-ground); color: var(--kw-ink); }
.kw-field input { padding: 3px 8px; font: 12.5px/1.5 var(--kw-mono-family); min-width: 9ch; } .kw-field input[aria-invalid="true"] { border-color: var(--kw-bad); }
.kw-bad { color: var(--kw-bad); font-size: 12px; } .kw-bad:not(:empty) { margin-left: 8px; }
.kw-expression.kw-small { font-size: 13px; padding: 4px 10px; } .kw-verdict { color: var(--kw-soft); flex: 1 1 340px; min-width: 0; min-height: 29px; display: flex; gap: 4px 8px; align-items: center; flex-wrap: wrap; }
.kw-verdict b { color: var(--kw-ink); } .kw-verdict b.kw-good { color: var(--kw-good); } .kw-verdict b.kw-warn { color: var(--kw-warn); } .kw-verdict code { color: var(--kw-ink); }
.kw .kw-stage > h3 { display: flex; flex-wrap: wrap; gap: 4px 10px; align-items: baseline; } .kw-stage > h3 b { margin-right: 0; }
.kw-window { display: inline-flex; flex-wrap: wrap; gap: 4px 14px; max-height: 96px; overflow: auto; } .kw-window:empty { display: none; } .kw-window input { width: 9ch; padding: 1px 4px; font: 12px var(--kw-mono-family); }
.kw-memory svg { display: block; max-width: 330px; } .kw-memory .kw-sector { fill: var(--kw-panel); stroke: var(--kw-line); } .kw-memory .kw-at { font: 9.5px var(--kw-mono-family); fill: var(--kw-faint); text-anchor: middle; }
.kw-memory .kw-ray { stroke: var(--kw-line); fill: none; } .kw-memory .kw-own { stroke: var(--kw-accent); stroke-width: 1.6; } .kw-memory .kw-idle { stroke: var(--kw-faint); }
.kw-choice { display: flex; flex-wrap: wrap; gap: 6px; align-items: center; } .kw .kw-choice select, .kw .kw-choice button { padding: 3px 4px; font-size: 12px; } .kw-choice button { margin-left: auto; } .kw-memory > code { margin: 4px 0 8px; }
.kw-cards { display: grid; gap: 10px; margin-top: 10px; max-width: 240px; } .kw-cards.kw-two { grid-template-columns: 1fr 1fr; max-width: 330px; } .kw-cards figure { margin: 0; min-width: 0; } .kw-cards figcaption { font-size: 12px; color: var(--kw-soft); } .kw-cards b { color: var(--kw-ink); }
.kw-card { cursor: pointer; } .kw-card text { font: 9px var(--kw-mono-family); fill: var(--kw-soft); } .kw-two text { font-size: 13px; } .kw-card .kw-first { fill: var(--kw-accent); } .kw-card .kw-wait { fill: none; stroke: var(--kw-warn); stroke-width: 1.5; } .kw-card .kw-band { fill: color-mix(in oklab, var(--kw-accent) 16%, transparent); }
.kw-pairs { display: grid; grid-template-columns: auto 1fr; gap: 2px 10px; margin: 6px 0; } .kw-memory p { margin: 4px 0 0; }
.kw-body { display: grid; grid-template-columns: minmax(0, 1fr) 344px; }
.kw-body:has(> .kw-side[hidden]) { grid-template-columns: minmax(0, 1fr); }
.kw-stage { padding: 13px 16px 12px; min-width: 0; } .kw-side { padding: 13px 16px; border-left: 1px solid var(--kw-line); min-width: 0; }
.kw-stage-box { overflow: auto; max-height: 720px; outline-offset: -2px; } .kw-stage-box canvas { display: block; cursor: pointer; }
.kw-stale .kw-stage-box, .kw-stale .kw-side { opacity: .55; }
.kw section { margin: 0 0 16px; } .kw section > code { white-space: pre-wrap; display: block; }
.kw table { border-collapse: collapse; width: 100%; margin: 0; font: 12px/1.4 var(--kw-mono-family); color: var(--kw-ink); border: 0; table-layout: auto; }
.kw table th, .kw table td { text-align: left; padding: 3px 10px 3px 0; border: 0; border-bottom: 1px solid var(--kw-line); font-weight: 400; white-space: nowrap; max-width: none; }
.kw table th { color: var(--kw-soft); font-family: var(--kw-sans); position: sticky; top: 0; background: var(--kw-ground); }
.kw table tbody tr, .kw table tbody tr:nth-child(odd), .kw table tbody tr:hover { background: none; }
.kw table tr.kw-now td { color: var(--kw-accent); font-weight: 600; }
.kw-scroll { max-height: 236px; overflow: auto; scrollbar-gutter: stable; } .kw-tall { max-height: 460px; padding: 2px 10px; outline-offset: -2px; }
.kw-tall table th { top: -2px; }
.kw-loops { overflow: auto; max-height: 380px; }
.kw-loop { display: flex; flex-wrap: wrap; column-gap: 14px; } .kw-loop code:first-child { min-width: 148px; } .kw-loop code { white-space: pre-wrap; }
.kw-loops .kw-filled { color: var(--kw-faint); } .kw-loops .kw-filled:empty { display: none; }
.kw-stale-note { padding: 6px 12px; margin-bottom: 8px; border-left: 3px solid var(--kw-warn); background: color-mix(in oklab, var(--kw-warn) 9%, transparent); } .kw-stale-note:empty { display: none; }
.kw > .kw-stale-note { margin-bottom: 0; }
.kw-stale-note b { color: var(--kw-warn); font-weight: 600; margin-right: 4px; }
.kw-note { color: var(--kw-warn); font-size: 12px; margin-top: 6px; } .kw-note:empty { display: none; }
.kw-time { border-bottom: 0; border-top: 1px solid var(--kw-line); background: var(--kw-panel); }
.kw-time input[type="range"] { flex: 1 1 120px; min-width: 80px; accent-color: var(--kw-accent); margin: 0; }
.kw-where { color: var(--kw-soft); min-width: 92px; }
.kw button, .kw select { border: 1px solid var(--kw-line); background: var(--kw-ground); color: var(--kw-ink); border-radius: 6px; padding: 3px 10px; font: 12.5px/1.5 var(--kw-sans); cursor: pointer; }
.kw button:hover, .kw select:hover { border-color: var(--kw-faint); }
.kw button[aria-pressed="true"], .kw button[aria-selected="true"] { border-color: var(--kw-accent); color: var(--kw-accent); }
.kw-keys { color: var(--kw-soft); font-size: 12px; white-space: nowrap; }
.kw kbd { font: 11px/1.3 var(--kw-mono-family); border: 1px solid var(--kw-line); border-radius: 4px; padding: 0 4px; margin-right: 2px; background: var(--kw-ground); color: var(--kw-soft); box-shadow: none; }
.kw-title { font: 600 13.5px/1.5 var(--kw-mono-family); } .kw-tabs { display: flex; gap: 4px; margin-left: auto; }
.kw-panes { display: grid; overflow: hidden; } .kw-pane { min-width: 0; border-left: 1px solid var(--kw-line); }
.kw-pane:first-child { border-left: 0; }
.kw-pane header { display: flex; justify-content: space-between; gap: 10px; padding: 8px 14px 6px; font-size: 12px; color: var(--kw-faint); }
.kw-pane header b { color: var(--kw-soft); font-weight: 600; }
.kw-code { max-height: 560px; overflow: auto; padding-bottom: 10px; outline-offset: -2px; counter-reset: none; }
.kw-line { display: block; width: max-content; min-width: 100%; padding-right: 14px; border-left: 3px solid transparent; font: 12px/1.62 var(--kw-mono-family); white-space: pre; cursor: default; }
.kw-line s { display: inline-block; width: 40px; padding-right: 11px; text-align: right; color: var(--kw-faint); text-decoration: none; user-select: none; }
.kw-line[data-link] { cursor: pointer; }
.kw-g1, .kw-g2, .kw-g3, .kw-g4 { background: color-mix(in oklab, var(--kw-hue) 11%, transparent); border-left-color: var(--kw-hue); }
.kw-g1 { --kw-hue: oklch(64% .12 250); } .kw-g2 { --kw-hue: oklch(64% .12 150); } .kw-g3 { --kw-hue: oklch(68% .12 60); } .kw-g4 { --kw-hue: oklch(64% .12 320); }
.kw.kw-dark .kw-g1, .kw.kw-dark .kw-g2, .kw.kw-dark .kw-g3, .kw.kw-dark .kw-g4 { background: color-mix(in oklab, var(--kw-hue) 17%, transparent); }
.kw-foot { display: flex; flex-wrap: wrap; border-top: 1px solid var(--kw-line); background: var(--kw-panel); }
.kw-cell { padding: 8px 16px 9px; border-right: 1px solid var(--kw-line); } .kw-cell:last-child { border-right: 0; }
.kw-cell .kw-dt { color: var(--kw-soft); font-size: 11.5px; } .kw-cell .kw-dd { color: var(--kw-soft); }
.kw-cell .kw-dd b { font: 600 15px/1.4 var(--kw-mono-family); color: var(--kw-ink); margin-right: 6px; } .kw-cell .kw-dd b.kw-warn { color: var(--kw-warn); }
.kw-warn { color: var(--kw-warn); } .kw-problem { padding: 8px 14px; color: var(--kw-warn); border-top: 1px solid var(--kw-line); white-space: pre-wrap; }
.kw-map text { font-family: var(--kw-mono-family); fill: var(--kw-ink); text-anchor: middle; pointer-events: none; }
.kw-map .kw-name { font-size: 11.5px; } .kw-map .kw-detail { font-size: 9.5px; fill: var(--kw-faint); } .kw-map .kw-b { font-weight: 600; }
.kw-map .kw-node { fill: var(--kw-ground); stroke: var(--kw-line); } .kw-map .kw-anchor { fill: var(--kw-ground); stroke: var(--kw-ink); stroke-width: 1.4; }
.kw-map .kw-group { fill: color-mix(in oklab, var(--kw-hue) 12%, var(--kw-ground)); stroke: var(--kw-hue); cursor: pointer; }
.kw-map .kw-on .kw-group { stroke: var(--kw-accent); stroke-width: 2.5; }
.kw-map .kw-flow { fill: none; stroke: var(--kw-faint); stroke-width: 1.2; } .kw-map .kw-why { fill: none; stroke: var(--kw-warn); stroke-width: 1.4; stroke-dasharray: 4 3; }
.kw-map .kw-why-dot { fill: var(--kw-ground); stroke: var(--kw-warn); stroke-width: 1.2; } .kw-map .kw-why-number { fill: var(--kw-warn); font-size: 10px; font-weight: 700; }
.kw-map .kw-off { opacity: .3; }
/* Tune and timing */
.kw-tune .kw-stage .kw-plot svg { max-width: 640px; margin: 0 auto; } .kw-timing .kw-stage .kw-plot svg { max-width: 900px; } .kw-side .kw-row { margin-top: 8px; }
.kw-plot svg { display: block; width: 100%; height: auto; overflow: visible; } .kw-plot { outline-offset: 2px; touch-action: none; user-select: none; }
.kw-plot text { font: 10.5px var(--kw-mono-family); fill: var(--kw-soft); text-anchor: middle; pointer-events: none; } .kw-plot .kw-end { text-anchor: end; } .kw-plot .kw-begin { text-anchor: start; }
.kw-plot .kw-label { font: 600 12px var(--kw-mono-family); fill: var(--kw-ink); text-anchor: start; } .kw-plot .kw-label.kw-end { text-anchor: end; }
.kw-frame { fill: none; stroke: var(--kw-line); } .kw-rule { stroke: var(--kw-line); stroke-width: 1; } .kw-even { stroke: var(--kw-faint); stroke-dasharray: 4 4; }
.kw-plot [data-trial] { cursor: pointer; stroke-width: 1.6; }
.kw-plot .kw-measured { fill: color-mix(in oklab, var(--kw-accent) 55%, transparent); stroke: var(--kw-accent); }
.kw-plot .kw-failed { fill: none; stroke: var(--kw-warn); } .kw-plot .kw-skipped, .kw-plot .kw-refused { fill: none; stroke: var(--kw-faint); }
.kw-plot .kw-best { fill: none; stroke: var(--kw-ink); stroke-width: 1.6; pointer-events: none; } .kw-plot .kw-chosen { fill: var(--kw-ink); stroke: var(--kw-ink); } .kw-plot .kw-off { opacity: .22; }
.kw-brush { fill: color-mix(in oklab, var(--kw-accent) 12%, transparent); stroke: var(--kw-accent); stroke-dasharray: 3 3; pointer-events: none; }
.kw-trials { border-top: 1px solid var(--kw-line); max-height: 300px; padding: 2px 16px 8px; outline-offset: -2px; } .kw-trials table th { top: -2px; }
.kw table .kw-right { text-align: right; } .kw button.kw-head { border: 0; background: none; padding: 0; color: var(--kw-soft); font: 12px/1.4 var(--kw-sans); } .kw button.kw-head:hover { color: var(--kw-ink); }
.kw-trials tr[data-trial] { cursor: pointer; } .kw table tr.kw-chosen td { background: color-mix(in oklab, var(--kw-accent) 14%, transparent); }
.kw-progress { flex: 1 1 160px; min-width: 80px; height: 8px; accent-color: var(--kw-accent); align-self: center; } .kw-tune .kw-bar-facts { align-items: center; }
.kw-tune > .kw-error { padding: 8px 16px; } .kw-minus { background: color-mix(in oklab, var(--kw-bad) 12%, transparent); } .kw-plus { background: color-mix(in oklab, var(--kw-good) 13%, transparent); } .kw-skip { color: var(--kw-faint); } .kw-gone { color: var(--kw-bad); }
.kw-diff .kw-ops { grid-template-columns: 96px minmax(0, 1fr); margin: 4px 0 8px; }
.kw-half { fill: color-mix(in oklab, var(--kw-accent) 15%, transparent); } .kw-sample { fill: var(--kw-soft); opacity: .6; } .kw-bin { fill: var(--kw-soft); opacity: .55; } .kw-median { stroke: var(--kw-accent); stroke-width: 2; }
.kw-roof { fill: none; stroke: var(--kw-ink); stroke-width: 1.6; } .kw-conditions { padding: 8px 16px; border-top: 1px solid var(--kw-line); background: var(--kw-panel); font-size: 12px; overflow-wrap: anywhere; }
.kw-peers { margin-top: 10px; } .kw-sources { grid-template-columns: 92px minmax(0, 1fr); } .kw-sources small { display: block; }
.kw-tag { font: 10.5px/1.4 var(--kw-sans); border: 1px solid currentColor; border-radius: 4px; padding: 0 4px; color: var(--kw-soft); } .kw-tag-measured { color: var(--kw-accent); } .kw-tag-predicted { color: var(--kw-warn); border-style: dashed; } .kw-tag-counted { color: var(--kw-good); } .kw-tag-stated { border-style: dotted; }
/* Graph */
.kw { --kw-hue1: oklch(64% .12 250); --kw-hue2: oklch(64% .12 150); --kw-hue3: oklch(68% .12 60); --kw-hue4: oklch(64% .12 320); }
.kw-map { position: relative; overflow: hidden; outline-offset: -2px; cursor: grab; touch-action: pan-y; user-select: none; }
.kw-map:active { cursor: grabbing; }
.kw-map svg, .kw-map canvas { display: block; position: absolute; inset: 0; width: 100%; height: 100%; }
.kw-strip { display: block; width: 100%; height: 30px; margin-top: 8px; border-top: 1px solid var(--kw-line); cursor: pointer; touch-action: none; }
.kw-row { display: flex; flex-wrap: wrap; gap: 6px 10px; align-items: center; } .kw-top { justify-content: space-between; margin-bottom: 8px; } .kw-top h3 { margin: 0; }
.kw-zooms { display: flex; gap: 4px; } .kw-zooms button { padding: 0 8px; }
.kw-find { width: 172px; padding: 3px 8px; font: 12.5px/1.5 var(--kw-sans); border: 1px solid var(--kw-line); border-radius: 6px; background: var(--kw-ground); color: var(--kw-ink); }
.kw-find::placeholder { color: var(--kw-faint); opacity: 1; } .kw-count { align-self: center; font-size: 12px; white-space: nowrap; } .kw-count:empty { display: none; }
.kw-graph .kw-tabs { flex-wrap: wrap; }
.kw-map .kw-in { fill: color-mix(in oklab, var(--kw-hue) 12%, var(--kw-ground)); stroke: var(--kw-hue); } .kw-map .kw-thick { stroke: var(--kw-ink); stroke-width: 1.4; }
.kw-map .kw-on .kw-node { stroke: var(--kw-accent); stroke-width: 2.5; } .kw-map .kw-hit .kw-node, .kw-map .kw-hit .kw-group { stroke: var(--kw-accent); stroke-dasharray: 5 3; }
.kw-map .kw-g1, .kw-map .kw-g2, .kw-map .kw-g3, .kw-map .kw-g4 { background: none; }
.kw-map .kw-edge { cursor: pointer; } .kw-map .kw-grip { fill: none; stroke: transparent; stroke-width: 12; }
.kw-map .kw-inner { fill: none; stroke: var(--kw-good); stroke-width: 1.6; } .kw-map .kw-cut { fill: none; stroke: var(--kw-accent); stroke-width: 2; stroke-dasharray: 2 3; }
.kw-map .kw-edge:hover path:not(.kw-grip), .kw-map .kw-on > path:not(.kw-grip) { stroke-width: 3; }
.kw-map .kw-on > .kw-grip { stroke: color-mix(in oklab, var(--kw-accent) 22%, transparent); }
.kw button:disabled { color: var(--kw-faint); cursor: default; border-color: var(--kw-line); }
.kw-list { display: flex; flex-direction: column; align-items: flex-start; gap: 2px; margin: 0 0 8px; }
.kw button.kw-link { border: 0; background: none; padding: 1px 0; text-align: left; color: var(--kw-accent); font: 12px/1.5 var(--kw-mono-family); overflow-wrap: anywhere; }
.kw button.kw-link:hover { text-decoration: underline; } .kw button.kw-link.kw-good { color: var(--kw-good); } .kw button.kw-link.kw-gone { color: var(--kw-bad); } .kw button.kw-link:disabled { color: var(--kw-soft); text-decoration: none; }
.kw-list small, .kw-link small { color: var(--kw-soft); font-size: 11px; }
.kw-side code { white-space: pre-wrap; overflow-wrap: anywhere; } .kw-what-if { padding: 10px 12px 4px; border: 1px solid var(--kw-accent); border-radius: 6px; }
.kw-busy .kw-side, .kw-busy .kw-map { opacity: .6; }
.kw-graph .kw-side h3 { overflow-wrap: anywhere; } .kw-what-if .kw-ops { grid-template-columns: 128px minmax(0, 1fr); margin-bottom: 8px; }
.kw-graph .kw-side { max-height: 560px; overflow: auto; }
.kw-below { border-top: 1px solid var(--kw-line); padding: 8px 12px; } .kw-below:empty { display: none; } .kw-close { justify-content: flex-end; }
.kw-reasons { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: 4px 9px; margin: 0; } .kw-reasons .kw-dt { color: var(--kw-warn); font-weight: 600; }
.kw-ops { display: grid; grid-template-columns: 76px minmax(0, 1fr); gap: 3px 10px; margin: 0; } .kw-ops .kw-dt { color: var(--kw-soft); } .kw-ops .kw-dd { overflow-wrap: anywhere; font: 12px/1.5 var(--kw-mono-family); }
.kw-ops small { color: var(--kw-soft); font-size: 11px; }
@media (prefers-reduced-motion: no-preference) { .kw-map svg * { transition: opacity .12s; } }
@container (max-width: 760px) {
  .kw-body { grid-template-columns: minmax(0, 1fr); } .kw-side { border-left: 0; border-top: 1px solid var(--kw-line); } .kw-keys { display: none; }
  .kw-panes { grid-template-columns: minmax(0, 1fr) !important; } .kw-pane { border-left: 0; border-top: 1px solid var(--kw-line); }
}
/* Program */
.kw-title { overflow-wrap: anywhere; min-width: 0; }
.kw-signature { min-width: 0; overflow-wrap: anywhere; }
.kw-program .kw-tabs { flex-wrap: wrap; } .kw-program .kw-later:not([aria-pressed="true"]) { border-style: dashed; color: var(--kw-soft); }
.kw button:disabled { opacity: .55; cursor: default; }
.kw button.kw-small { padding: 0 6px; font-size: 11.5px; line-height: 1.55; border-color: transparent; background: none; color: var(--kw-soft); }
.kw button.kw-small:hover, .kw button.kw-small:focus-visible { border-color: var(--kw-line); color: var(--kw-ink); }
.kw-actions { display: inline-flex; flex-wrap: wrap; gap: 4px; align-items: baseline; }
.kw-pane header { align-items: baseline; min-height: 34px; padding: 5px 8px 4px 14px; } .kw-pane header b { margin-right: auto; } .kw-pane header > span { min-width: 0; }
.kw-panes { row-gap: 0; } .kw-panes > .kw-pane { border-bottom: 0; }
.kw-none { padding: 14px; color: var(--kw-soft); white-space: pre-wrap; } .kw-wait { font-style: italic; }
.kw .kw-line.kw-mine { background: color-mix(in oklab, var(--kw-accent) 13%, transparent); box-shadow: inset 3px 0 0 var(--kw-accent); }
.kw .kw-line.kw-lit { --kw-edge: inset 1.5px 0 var(--kw-accent), inset -1.5px 0 var(--kw-accent); background: color-mix(in oklab, var(--kw-accent) 20%, transparent); box-shadow: var(--kw-edge), inset 0 1.5px var(--kw-accent), inset 0 -1.5px var(--kw-accent); }
.kw .kw-line.kw-lit:has(+ .kw-lit) { box-shadow: var(--kw-edge), inset 0 1.5px var(--kw-accent); } .kw .kw-line.kw-lit + .kw-lit { box-shadow: var(--kw-edge), inset 0 -1.5px var(--kw-accent); } .kw .kw-line.kw-lit + .kw-lit:has(+ .kw-lit) { box-shadow: var(--kw-edge); }
.kw-lit s, .kw-lit .kw-comment, .kw-mine s { color: var(--kw-soft); }
.kw-mine-said { padding: 6px 14px; border-bottom: 1px solid var(--kw-line); background: var(--kw-panel); color: var(--kw-soft); font: 12px/1.5 var(--kw-mono-family); overflow-wrap: anywhere; } .kw-mine-said b { color: var(--kw-accent); }
.kw-basis { color: var(--kw-soft); font-style: italic; margin-left: 7px; font-size: 11px; }
details.kw-cell { max-width: 460px; } .kw-cell > summary { list-style: none; cursor: help; } .kw-cell > summary::-webkit-details-marker { display: none; }
.kw-formula { margin-top: 5px; padding-top: 5px; border-top: 1px solid var(--kw-line); color: var(--kw-soft); font-size: 12px; max-width: 44ch; }
.kw-fork { border-top: 1px solid var(--kw-line); } .kw .kw-fork .kw-bad { margin-left: 0; font-size: inherit; }
.kw-fork-bar { display: flex; flex-wrap: wrap; gap: 6px 10px; align-items: center; padding: 8px 14px; } .kw-fork-bar .kw-actions { margin-left: auto; gap: 6px; }
.kw button.kw-go { border-color: var(--kw-accent); color: var(--kw-accent); }
.kw-edit-box { display: flex; border: 1px solid var(--kw-line); border-width: 1px 0; max-height: 460px; }
.kw-numbers { flex: none; min-width: 48px; padding: 6px 10px 30px 0; text-align: right; overflow: hidden; color: var(--kw-faint); background: var(--kw-panel); font: 12px/1.62 var(--kw-mono-family); user-select: none; }
.kw-area { flex: 1; min-width: 0; padding: 6px 10px; border: 0; resize: vertical; background: var(--kw-ground); color: var(--kw-ink); font: 12px/1.62 var(--kw-mono-family); white-space: pre; overflow: auto; tab-size: 4; outline-offset: -2px; }
.kw-result { padding: 10px 14px; display: grid; gap: 8px; } .kw-result:empty { display: none; } .kw-result table { width: auto; max-width: 100%; } .kw-differs { font-weight: 600; } .kw .kw-result td.kw-soft { font-family: var(--kw-sans); white-space: normal; }
.kw-complaints { margin: 0; padding: 0; list-style: none; display: grid; gap: 8px; } .kw .kw-complaints button { border: 0; padding: 0; background: none; text-align: left; text-decoration: underline; text-underline-offset: 3px; }
.kw .kw-complaints .kw-bad { color: var(--kw-bad); } .kw .kw-complaints .kw-warn { color: var(--kw-warn); }
.kw-complaints pre { margin: 2px 0 0; padding: 0; background: none; color: var(--kw-ink); font: 12px/1.5 var(--kw-mono-family); overflow-x: auto; tab-size: 4; }
.kw-extents { border-bottom: 0; padding: 4px 14px 10px; } .kw-extents input { width: 11ch; padding: 2px 6px; font: 12px/1.4 var(--kw-mono-family); }
/* Passes */
.kw-passes { max-width: none; } .kw-total { margin-left: auto; color: var(--kw-soft); }
.kw-passes-body { display: grid; grid-template-columns: minmax(230px, 300px) minmax(0, 1fr); } .kw-passes-list { border-right: 1px solid var(--kw-line); min-width: 0; }
.kw-steps { padding: 6px 0; outline-offset: -2px; }
.kw-step-row { display: grid; grid-template-columns: minmax(0, 1fr) auto auto; gap: 0 10px; align-items: baseline; padding: 4px 14px 5px; cursor: pointer; border-left: 3px solid transparent; }
.kw-step-name { font: 12.5px/1.5 var(--kw-mono-family); overflow-wrap: anywhere; } .kw-step-out, .kw-step-ms { color: var(--kw-soft); font-size: 11.5px; white-space: nowrap; } .kw-step-ms { min-width: 54px; text-align: right; font-family: var(--kw-mono-family); }
.kw-step-bar { grid-column: 1 / -1; height: 2px; margin-top: 3px; background: var(--kw-accent); opacity: .55; border-radius: 1px; }
.kw-step-row[aria-selected="true"] { background: color-mix(in oklab, var(--kw-accent) 11%, transparent); border-left-color: var(--kw-accent); }
.kw-is-off .kw-step-name { text-decoration: line-through; color: var(--kw-soft); } .kw-is-waits .kw-step-name, .kw-unchanged .kw-step-name { color: var(--kw-soft); }
.kw-is-failed .kw-step-name, .kw-is-failed .kw-step-out { color: var(--kw-bad); } .kw-is-failed .kw-step-name::before { content: "✕ "; }
.kw-passes-note { padding: 0 14px 10px; color: var(--kw-accent); } .kw-passes-note:empty { display: none; } .kw-passes-note.kw-bad { color: var(--kw-bad); }
.kw-step { min-width: 0; display: flex; flex-direction: column; } .kw-step-head { display: flex; flex-wrap: wrap; gap: 2px 12px; align-items: baseline; padding: 9px 14px 4px; } .kw-step-head b { font: 600 13px/1.5 var(--kw-mono-family); overflow-wrap: anywhere; }
.kw-options { display: flex; flex-wrap: wrap; gap: 4px 18px; align-items: center; padding: 0 14px 8px; border-bottom: 1px solid var(--kw-line); min-height: 26px; } .kw-options label { display: inline-flex; gap: 6px; align-items: center; }
.kw-options input[type="number"] { width: 84px; padding: 2px 6px; border: 1px solid var(--kw-line); border-radius: 5px; background: var(--kw-ground); color: var(--kw-ink); font: 12px/1.4 var(--kw-mono-family); } .kw-options input[type="checkbox"] { accent-color: var(--kw-accent); margin: 0; }
.kw-passes .kw-error { padding: 6px 14px; } .kw-passes .kw-problem { border-top: 0; color: var(--kw-bad); }
.kw-passes .kw-diff { flex: 1; max-height: 560px; min-height: 200px; overflow: auto; padding: 4px 0 10px; outline-offset: -2px; } .kw-passes.kw-busy .kw-diff { opacity: .55; }
.kw-rows { display: grid; width: max-content; min-width: 100%; }
.kw-rows .kw-row { display: block; color: var(--kw-ink); padding-right: 14px; font: 12px/1.62 var(--kw-mono-family); white-space: pre; border-left: 3px solid transparent; }
.kw-rows s { display: inline-block; width: 34px; padding-right: 8px; text-align: right; color: var(--kw-faint); text-decoration: none; user-select: none; } .kw-rows b { display: inline-block; width: 16px; font-weight: 400; color: var(--kw-soft); user-select: none; }
.kw-rows .kw-gone { background: color-mix(in oklab, var(--kw-bad) 8%, transparent); border-left-color: color-mix(in oklab, var(--kw-bad) 45%, transparent); } .kw-rows .kw-new { background: color-mix(in oklab, var(--kw-good) 9%, transparent); border-left-color: color-mix(in oklab, var(--kw-good) 55%, transparent); }
.kw-rows del { text-decoration: none; border-radius: 3px; background: color-mix(in oklab, var(--kw-bad) 24%, transparent); color: inherit; } .kw-rows ins { text-decoration: none; border-radius: 3px; background: color-mix(in oklab, var(--kw-good) 28%, transparent); color: inherit; }
.kw-row.kw-caret { box-shadow: inset 0 0 0 1.5px var(--kw-accent); } .kw-row .kw-caret { outline: 1.5px solid var(--kw-accent); }
.kw-why-said { height: 72px; overflow: auto; padding: 7px 14px; border-top: 1px solid var(--kw-line); background: var(--kw-panel); font-size: 12px; } .kw-why-use { display: flex; flex-wrap: wrap; gap: 0 9px; align-items: baseline; } .kw-why-said b { font: 600 12px/1.5 var(--kw-mono-family); } .kw-why-said div > b + code { margin-left: 4px; } .kw-why-said code { white-space: pre-wrap; overflow-wrap: anywhere; } .kw-why-use > b { color: var(--kw-accent); }
.kw-row[data-link]:not([data-link=""]) { cursor: pointer; } .kw-row.kw-lit { box-shadow: inset 0 0 0 1.5px var(--kw-accent); } .kw-rows .kw-skip { color: var(--kw-soft); font-style: italic; }
@container (max-width: 760px) {
  .kw-passes-body { grid-template-columns: minmax(0, 1fr); } .kw-passes-list { border-right: 0; border-bottom: 1px solid var(--kw-line); } .kw-total { margin-left: 0; }
  .kw-program .kw-tabs { margin-left: 0; } .kw-fork-bar .kw-actions { margin-left: 0; }
}

/* Names of any length and direction: a few lines of them, and none turns what stands beside it. */
.kw :is(span, b, code, small, td, th, s) { unicode-bidi: isolate; }
.kw :is(.kw-title, .kw-signature, .kw-step-name, .kw-bar > .kw-soft, .kw-step-head > *, .kw-link, .kw-ops .kw-dd, .kw-reasons .kw-dd, .kw-side h3, .kw-foot .kw-cell div, .kw-pane > header > span:first-of-type, .kw-conditions, .kw-error, .kw-none) { overflow: hidden; overflow-wrap: anywhere; max-height: 9em; min-width: 0; }
.kw :is(.kw-title, .kw-signature, .kw-step-name, .kw-bar > .kw-soft, .kw-link, .kw-side h3) { max-height: 4.5em; }
.kw .kw-conditions { max-height: 18em; } .kw-tune td, .kw-timing td, .kw-graph .kw-twin td, .kw-tune th, .kw-timing th { max-width: 32em; overflow: hidden; text-overflow: ellipsis; }
.kw-top h3 { min-width: 0; white-space: normal; } .kw-timing .kw-side svg { max-width: 340px; }
`,""]),a.d(o,{},{A:i})},"./node_modules/css-loader/dist/runtime/api.js"(e){e.exports=function(e){var o=[];return o.toString=function(){return this.map(function(o){var a="",r=void 0!==o[5];return o[4]&&(a+="@supports (".concat(o[4],") {")),o[2]&&(a+="@media ".concat(o[2]," {")),r&&(a+="@layer".concat(o[5].length>0?" ".concat(o[5]):""," {")),a+=e(o),r&&(a+="}"),o[2]&&(a+="}"),o[4]&&(a+="}"),a}).join("")},o.i=function(e,a,r,t,n){"string"==typeof e&&(e=[[null,e,void 0]]);var i={};if(r)for(var w=0;w<this.length;w++){var k=this[w][0];null!=k&&(i[k]=!0)}for(var l=0;l<e.length;l++){var p=[].concat(e[l]);r&&i[p[0]]||(void 0!==n&&(void 0===p[5]||(p[1]="@layer".concat(p[5].length>0?" ".concat(p[5]):""," {").concat(p[1],"}")),p[5]=n),a&&(p[2]&&(p[1]="@media ".concat(p[2]," {").concat(p[1],"}")),p[2]=a),t&&(p[4]?(p[1]="@supports (".concat(p[4],") {").concat(p[1],"}"),p[4]=t):p[4]="".concat(t)),o.push(p))}},o}},"./node_modules/css-loader/dist/runtime/noSourceMaps.js"(e){e.exports=function(e){return e[1]}},"./node_modules/style-loader/dist/runtime/injectStylesIntoStyleTag.js"(e){var o=[];function a(e){for(var a=-1,r=0;r<o.length;r++)if(o[r].identifier===e){a=r;break}return a}function r(e,r){for(var t={},n=[],i=0;i<e.length;i++){var w=e[i],k=r.base?w[0]+r.base:w[0],l=t[k]||0,p="".concat(k," ").concat(l);t[k]=l+1;var s=a(p),d={css:w[1],media:w[2],sourceMap:w[3],supports:w[4],layer:w[5]};if(-1!==s)o[s].references++,o[s].updater(d);else{var c=function(e,o){var a=o.domAPI(o);return a.update(e),function(o){o?(o.css!==e.css||o.media!==e.media||o.sourceMap!==e.sourceMap||o.supports!==e.supports||o.layer!==e.layer)&&a.update(e=o):a.remove()}}(d,r);r.byIndex=i,o.splice(i,0,{identifier:p,updater:c,references:1})}n.push(p)}return n}e.exports=function(e,t){var n=r(e=e||[],t=t||{});return function(e){e=e||[];for(var i=0;i<n.length;i++){var w=a(n[i]);o[w].references--}for(var k=r(e,t),l=0;l<n.length;l++){var p=a(n[l]);0===o[p].references&&(o[p].updater(),o.splice(p,1))}n=k}}},"./node_modules/style-loader/dist/runtime/insertBySelector.js"(e){var o={};e.exports=function(e,a){var r=function(e){if(void 0===o[e]){var a=document.querySelector(e);if(window.HTMLIFrameElement&&a instanceof window.HTMLIFrameElement)try{a=a.contentDocument.head}catch(e){a=null}o[e]=a}return o[e]}(e);if(!r)throw Error("Couldn't find a style target. This probably means that the value for the 'insert' parameter is invalid.");r.appendChild(a)}},"./node_modules/style-loader/dist/runtime/insertStyleElement.js"(e){e.exports=function(e){var o=document.createElement("style");return e.setAttributes(o,e.attributes),e.insert(o,e.options),o}},"./node_modules/style-loader/dist/runtime/setAttributesWithoutAttributes.js"(e,o,a){e.exports=function(e){var o=a.nc;o&&e.setAttribute("nonce",o)}},"./node_modules/style-loader/dist/runtime/styleDomAPI.js"(e){e.exports=function(e){if("u"<typeof document)return{update:function(){},remove:function(){}};var o=e.insertStyleElement(e);return{update:function(a){var r,t,n;r="",a.supports&&(r+="@supports (".concat(a.supports,") {")),a.media&&(r+="@media ".concat(a.media," {")),(t=void 0!==a.layer)&&(r+="@layer".concat(a.layer.length>0?" ".concat(a.layer):""," {")),r+=a.css,t&&(r+="}"),a.media&&(r+="}"),a.supports&&(r+="}"),(n=a.sourceMap)&&"u">typeof btoa&&(r+="\n/*# sourceMappingURL=data:application/json;base64,".concat(btoa(unescape(encodeURIComponent(JSON.stringify(n))))," */")),e.styleTagTransform(r,o,e.options)},remove:function(){var e;null===(e=o).parentNode||e.parentNode.removeChild(e)}}}},"./node_modules/style-loader/dist/runtime/styleTagTransform.js"(e){e.exports=function(e,o){if(o.styleSheet)o.styleSheet.cssText=e;else{for(;o.firstChild;)o.removeChild(o.firstChild);o.appendChild(document.createTextNode(e))}}},"./style/index.js"(e,o,a){var r=a("./node_modules/style-loader/dist/runtime/injectStylesIntoStyleTag.js"),t=a.n(r),n=a("./node_modules/style-loader/dist/runtime/styleDomAPI.js"),i=a.n(n),w=a("./node_modules/style-loader/dist/runtime/insertBySelector.js"),k=a.n(w),l=a("./node_modules/style-loader/dist/runtime/setAttributesWithoutAttributes.js"),p=a.n(l),s=a("./node_modules/style-loader/dist/runtime/insertStyleElement.js"),d=a.n(s),c=a("./node_modules/style-loader/dist/runtime/styleTagTransform.js"),x=a.n(c),f=a("./node_modules/css-loader/dist/cjs.js!./style/index.css"),m={};m.styleTagTransform=x(),m.setAttributes=p(),m.insert=k().bind(null,"head"),m.domAPI=i(),m.insertStyleElement=d(),t()(f.A,m),f.A&&f.A.locals&&f.A.locals}}]);
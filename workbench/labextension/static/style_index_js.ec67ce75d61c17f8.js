"use strict";(self.rspackChunk_kernel_workbench_lab=self.rspackChunk_kernel_workbench_lab||[]).push([["style_index_js"],{"./node_modules/css-loader/dist/cjs.js!./style/index.css"(e,o,r){var a=r("./node_modules/css-loader/dist/runtime/noSourceMaps.js"),t=r.n(a),n=r("./node_modules/css-loader/dist/runtime/api.js"),i=r.n(n),l=r("./node_modules/css-loader/dist/cjs.js!../src/viz/workbench.css"),w=r("./node_modules/css-loader/dist/cjs.js!./style/lab.css"),p=i()(t());p.i(l.A),p.i(w.A),p.push([e.id,`
`,""]),r.d(o,{},{A:p})},"./node_modules/css-loader/dist/cjs.js!./style/lab.css"(e,o,r){var a=r("./node_modules/css-loader/dist/runtime/noSourceMaps.js"),t=r.n(a),n=r("./node_modules/css-loader/dist/runtime/api.js"),i=(r.n(n))()(t());i.push([e.id,`/* The extension's own surfaces: side panel, tabs, progress. Views bring their rules from viz/workbench.css. */
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
.kw-lab-banner { padding: 6px 12px; margin-bottom: 8px; border-left: 3px solid var(--kw-warn); background: color-mix(in oklab, var(--kw-warn) 9%, transparent); } .kw-lab-banner:empty { display: none; }
.kw-lab-banner b { color: var(--kw-warn); font-weight: 600; margin-right: 4px; }
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
`,""]),r.d(o,{},{A:i})},"./node_modules/css-loader/dist/cjs.js!../src/viz/workbench.css"(e,o,r){var a=r("./node_modules/css-loader/dist/runtime/noSourceMaps.js"),t=r.n(a),n=r("./node_modules/css-loader/dist/runtime/api.js"),i=(r.n(n))()(t());i.push([e.id,`/* Fonts, spacing and surfaces are the page's own where it names them; inks are ours, in two themes. */
.kw {
  --kw-ground: var(--jp-layout-color1, var(--vscode-editor-background, #ffffff));
  --kw-ink: #1b1f24; --kw-soft: #56606c; --kw-faint: #6e7884; --kw-line: #e1e5ea; --kw-panel: #f7f8fa;
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
  --kw-ink: #e6e9ed; --kw-soft: #a3acb8; --kw-faint: #848e9a; --kw-line: #363c44; --kw-panel: color-mix(in oklab, var(--kw-ink) 4%, var(--kw-ground));
  --kw-accent: #6cb2ff; --kw-good: #57c78a; --kw-warn: #e0a34a; --kw-bad: #ff8a80;
  --kw-keyword: #c69af0; --kw-number: #69c9c9; --kw-string: #e0b07a; color-scheme: dark;
}
.kw *, .kw *::before { box-sizing: border-box; }
.kw-program { max-width: none; }
.kw [hidden] { display: none !important; }
.kw :focus-visible { outline: 2px solid var(--kw-accent); outline-offset: 1px; border-radius: 4px; }
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
.kw-preset { flex: 0 1 185px; min-width: 90px; } .kw-bar-chips > .kw-quiet { margin-left: auto; }
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
.kw-memory dl { display: grid; grid-template-columns: auto 1fr; gap: 2px 10px; margin: 6px 0; } .kw-memory dt { color: var(--kw-soft); } .kw-memory dd { margin: 0; } .kw-memory p { margin: 4px 0 0; }
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
.kw-line.kw-lit { background: color-mix(in oklab, var(--kw-accent) 20%, transparent); box-shadow: inset 0 0 0 1.5px var(--kw-accent); }
.kw-foot { display: flex; flex-wrap: wrap; border-top: 1px solid var(--kw-line); background: var(--kw-panel); }
.kw-cell { padding: 8px 16px 9px; border-right: 1px solid var(--kw-line); } .kw-cell:last-child { border-right: 0; }
.kw-cell .kw-dt { color: var(--kw-soft); font-size: 11.5px; } .kw-cell .kw-dd { color: var(--kw-soft); }
.kw-cell .kw-dd b { font: 600 15px/1.4 var(--kw-mono-family); color: var(--kw-ink); margin-right: 6px; } .kw-cell .kw-dd b.kw-warn { color: var(--kw-warn); }
.kw-warn { color: var(--kw-warn); } .kw-problem { padding: 8px 14px; color: var(--kw-warn); border-top: 1px solid var(--kw-line); white-space: pre-wrap; }
.kw-map { overflow: auto; max-height: 560px; outline-offset: -2px; cursor: grab; } .kw-map svg { display: block; }
.kw-map text { font-family: var(--kw-mono-family); fill: var(--kw-ink); text-anchor: middle; pointer-events: none; }
.kw-map .kw-name { font-size: 11.5px; } .kw-map .kw-detail { font-size: 9.5px; fill: var(--kw-faint); } .kw-map .kw-b { font-weight: 600; }
.kw-map .kw-node { fill: var(--kw-ground); stroke: var(--kw-line); } .kw-map .kw-anchor { fill: var(--kw-ground); stroke: var(--kw-ink); stroke-width: 1.4; }
.kw-map .kw-group { fill: color-mix(in oklab, var(--kw-hue) 12%, var(--kw-ground)); stroke: var(--kw-hue); cursor: pointer; }
.kw-map .kw-on .kw-group { stroke: var(--kw-accent); stroke-width: 2.5; }
.kw-map .kw-flow { fill: none; stroke: var(--kw-faint); stroke-width: 1.2; } .kw-map .kw-why { fill: none; stroke: var(--kw-warn); stroke-width: 1.4; stroke-dasharray: 4 3; }
.kw-map .kw-why-dot { fill: var(--kw-ground); stroke: var(--kw-warn); stroke-width: 1.2; } .kw-map .kw-why-number { fill: var(--kw-warn); font-size: 10px; font-weight: 700; }
.kw-map .kw-off { opacity: .3; }
.kw-reasons { display: grid; grid-template-columns: auto 1fr; gap: 4px 9px; margin: 0; } .kw-reasons .kw-dt { color: var(--kw-warn); font-weight: 600; }
.kw-ops { display: grid; grid-template-columns: 76px minmax(0, 1fr); gap: 3px 10px; margin: 0; } .kw-ops .kw-dt { color: var(--kw-soft); } .kw-ops .kw-dd { overflow-wrap: anywhere; font: 12px/1.5 var(--kw-mono-family); }
.kw-ops small { color: var(--kw-faint); font-size: 11px; }
@media (prefers-reduced-motion: no-preference) { .kw-map svg * { transition: opacity .12s; } }
@container (max-width: 760px) {
  .kw-body { grid-template-columns: minmax(0, 1fr); } .kw-side { border-left: 0; border-top: 1px solid var(--kw-line); } .kw-keys { display: none; }
  .kw-panes { grid-template-columns: minmax(0, 1fr) !important; } .kw-pane { border-left: 0; border-top: 1px solid var(--kw-line); }
}
`,""]),r.d(o,{},{A:i})},"./node_modules/css-loader/dist/runtime/api.js"(e){e.exports=function(e){var o=[];return o.toString=function(){return this.map(function(o){var r="",a=void 0!==o[5];return o[4]&&(r+="@supports (".concat(o[4],") {")),o[2]&&(r+="@media ".concat(o[2]," {")),a&&(r+="@layer".concat(o[5].length>0?" ".concat(o[5]):""," {")),r+=e(o),a&&(r+="}"),o[2]&&(r+="}"),o[4]&&(r+="}"),r}).join("")},o.i=function(e,r,a,t,n){"string"==typeof e&&(e=[[null,e,void 0]]);var i={};if(a)for(var l=0;l<this.length;l++){var w=this[l][0];null!=w&&(i[w]=!0)}for(var p=0;p<e.length;p++){var s=[].concat(e[p]);a&&i[s[0]]||(void 0!==n&&(void 0===s[5]||(s[1]="@layer".concat(s[5].length>0?" ".concat(s[5]):""," {").concat(s[1],"}")),s[5]=n),r&&(s[2]&&(s[1]="@media ".concat(s[2]," {").concat(s[1],"}")),s[2]=r),t&&(s[4]?(s[1]="@supports (".concat(s[4],") {").concat(s[1],"}"),s[4]=t):s[4]="".concat(t)),o.push(s))}},o}},"./node_modules/css-loader/dist/runtime/noSourceMaps.js"(e){e.exports=function(e){return e[1]}},"./node_modules/style-loader/dist/runtime/injectStylesIntoStyleTag.js"(e){var o=[];function r(e){for(var r=-1,a=0;a<o.length;a++)if(o[a].identifier===e){r=a;break}return r}function a(e,a){for(var t={},n=[],i=0;i<e.length;i++){var l=e[i],w=a.base?l[0]+a.base:l[0],p=t[w]||0,s="".concat(w," ").concat(p);t[w]=p+1;var d=r(s),k={css:l[1],media:l[2],sourceMap:l[3],supports:l[4],layer:l[5]};if(-1!==d)o[d].references++,o[d].updater(k);else{var c=function(e,o){var r=o.domAPI(o);return r.update(e),function(o){o?(o.css!==e.css||o.media!==e.media||o.sourceMap!==e.sourceMap||o.supports!==e.supports||o.layer!==e.layer)&&r.update(e=o):r.remove()}}(k,a);a.byIndex=i,o.splice(i,0,{identifier:s,updater:c,references:1})}n.push(s)}return n}e.exports=function(e,t){var n=a(e=e||[],t=t||{});return function(e){e=e||[];for(var i=0;i<n.length;i++){var l=r(n[i]);o[l].references--}for(var w=a(e,t),p=0;p<n.length;p++){var s=r(n[p]);0===o[s].references&&(o[s].updater(),o.splice(s,1))}n=w}}},"./node_modules/style-loader/dist/runtime/insertBySelector.js"(e){var o={};e.exports=function(e,r){var a=function(e){if(void 0===o[e]){var r=document.querySelector(e);if(window.HTMLIFrameElement&&r instanceof window.HTMLIFrameElement)try{r=r.contentDocument.head}catch(e){r=null}o[e]=r}return o[e]}(e);if(!a)throw Error("Couldn't find a style target. This probably means that the value for the 'insert' parameter is invalid.");a.appendChild(r)}},"./node_modules/style-loader/dist/runtime/insertStyleElement.js"(e){e.exports=function(e){var o=document.createElement("style");return e.setAttributes(o,e.attributes),e.insert(o,e.options),o}},"./node_modules/style-loader/dist/runtime/setAttributesWithoutAttributes.js"(e,o,r){e.exports=function(e){var o=r.nc;o&&e.setAttribute("nonce",o)}},"./node_modules/style-loader/dist/runtime/styleDomAPI.js"(e){e.exports=function(e){if("u"<typeof document)return{update:function(){},remove:function(){}};var o=e.insertStyleElement(e);return{update:function(r){var a,t,n;a="",r.supports&&(a+="@supports (".concat(r.supports,") {")),r.media&&(a+="@media ".concat(r.media," {")),(t=void 0!==r.layer)&&(a+="@layer".concat(r.layer.length>0?" ".concat(r.layer):""," {")),a+=r.css,t&&(a+="}"),r.media&&(a+="}"),r.supports&&(a+="}"),(n=r.sourceMap)&&"u">typeof btoa&&(a+="\n/*# sourceMappingURL=data:application/json;base64,".concat(btoa(unescape(encodeURIComponent(JSON.stringify(n))))," */")),e.styleTagTransform(a,o,e.options)},remove:function(){var e;null===(e=o).parentNode||e.parentNode.removeChild(e)}}}},"./node_modules/style-loader/dist/runtime/styleTagTransform.js"(e){e.exports=function(e,o){if(o.styleSheet)o.styleSheet.cssText=e;else{for(;o.firstChild;)o.removeChild(o.firstChild);o.appendChild(document.createTextNode(e))}}},"./style/index.js"(e,o,r){var a=r("./node_modules/style-loader/dist/runtime/injectStylesIntoStyleTag.js"),t=r.n(a),n=r("./node_modules/style-loader/dist/runtime/styleDomAPI.js"),i=r.n(n),l=r("./node_modules/style-loader/dist/runtime/insertBySelector.js"),w=r.n(l),p=r("./node_modules/style-loader/dist/runtime/setAttributesWithoutAttributes.js"),s=r.n(p),d=r("./node_modules/style-loader/dist/runtime/insertStyleElement.js"),k=r.n(d),c=r("./node_modules/style-loader/dist/runtime/styleTagTransform.js"),x=r.n(c),f=r("./node_modules/css-loader/dist/cjs.js!./style/index.css"),m={};m.styleTagTransform=x(),m.setAttributes=s(),m.insert=w().bind(null,"head"),m.domAPI=i(),m.insertStyleElement=k(),t()(f.A,m),f.A&&f.A.locals&&f.A.locals}}]);
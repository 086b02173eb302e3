// The mark of the workbench: a grid of workers, one of them picked.

import { LabIcon } from "@jupyterlab/ui-components";

const cell = (x: number, y: number, kind: string, fill: string) => `<rect class="${kind} jp-icon-selectable" fill="${fill}" x="${x}" y="${y}" width="5" height="5" rx="1"/>`;
const cells = [3, 9.5, 16].flatMap((y) => [3, 9.5, 16].map((x) => x === 9.5 && y === 9.5 ? cell(x, y, "jp-icon-brand0", "#1976d2") : cell(x, y, "jp-icon3", "#616161")));
const svgstr = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="16">${cells.join("")}</svg>`;

export const icon = new LabIcon({ name: "kernel-workbench:icon", svgstr });

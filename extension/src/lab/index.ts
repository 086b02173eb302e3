// The plugins of the JupyterLab extension, one file each.

import { exporting } from "./export";
import { highlight } from "./highlight";
import { kept } from "./kept";
import { launcher } from "./launcher";
import { mime } from "./mime";
import { onnx } from "./onnx";
import { settings } from "./settings";
import { side } from "./side";

export default [mime, kept, side, onnx, launcher, exporting, highlight, settings];

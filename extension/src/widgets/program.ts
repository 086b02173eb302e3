// The live program screen.

import { renderProgram } from "../viz/program";
import { widget } from "./mount";

export default widget(renderProgram);

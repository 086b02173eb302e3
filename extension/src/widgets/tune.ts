// The live tune screen.

import { renderTune } from "../viz/tune";
import { widget } from "./mount";

export default widget(renderTune);

// The live timing screen.

import { renderTiming } from "../viz/timing";
import { widget } from "./mount";

export default widget(renderTiming);

// The live passes screen.

import { renderPasses } from "../viz/passes";
import { widget } from "./mount";

export default widget(renderPasses);

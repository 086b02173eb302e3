// The live graph screen.

import { renderGraph } from "../viz/graph";
import { widget } from "./mount";

export default widget(renderGraph);

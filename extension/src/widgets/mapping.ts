// The live mapping screen: edits go to Python, which answers with a view or with an error.

import { renderMapping } from "../viz/mapping";
import { widget } from "./mount";

export default widget(renderMapping);

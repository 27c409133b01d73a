// The plain view of units, without a picture of its own.
import { openUnits } from "./units.js";

export default { render: (context) => openUnits(context) };

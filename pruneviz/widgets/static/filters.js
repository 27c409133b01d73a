import { openUnits } from "./units.js";
export default { render: (context) => openUnits(context) };

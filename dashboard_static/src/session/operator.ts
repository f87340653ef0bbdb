/** What only an operator needs, as one piece to load. */

export { Actions } from "./actions";
export { Rename } from "./rename";

/** All charts as one piece to load: the library under them is most of it. */

export { DayChart } from "./history/day_chart";
export { TokenChart } from "./session/chart";

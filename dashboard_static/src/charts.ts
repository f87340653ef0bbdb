/** All charts as one piece to load: the library under them is most of it. */

export { CurveChart } from "./compare/curve_chart";
export { DayChart } from "./history/day_chart";
export { TokenChart } from "./session/chart";

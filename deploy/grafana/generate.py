"""Writes the dashboards of panels.py as Grafana's JSON, into ``dashboards`` beside this file.

`python deploy/grafana/generate.py`; the JSON is committed, and a test holds it to this.
"""

import json
import sys
from pathlib import Path

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import (
    LegendDisplayMode,
    LegendPlacement,
    StackingMode,
    TooltipDisplayMode,
    VisibilityMode,
)
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, DataSourceRef

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from panels import BOARDS, Board, Panel  # noqa: E402 - beside this file, which is no package

FOLDER = HERE / "dashboards"
SOURCE = DataSourceRef(type_val="prometheus", uid="prometheus")
HEIGHTS = {"stat": 4}


def make_panel(told: Panel) -> timeseries.Panel | stat.Panel:
    """One panel with its queries."""
    panel = stat.Panel() if told.kind == "stat" else timeseries.Panel()
    panel.title(told.title).description(told.words).unit(told.unit).datasource(SOURCE)
    panel.span(told.width).height(HEIGHTS.get(told.kind, 8)).min(0)
    if isinstance(panel, stat.Panel):
        panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    if isinstance(panel, timeseries.Panel):
        is_stacked = told.kind == "stacked"
        panel.fill_opacity(40 if is_stacked else 8).show_points(VisibilityMode.NEVER)
        if is_stacked:
            panel.stacking(common.StackingConfig().mode(StackingMode.NORMAL))
        legend = common.VizLegendOptions().show_legend(True)
        panel.legend(legend.display_mode(LegendDisplayMode.LIST).placement(LegendPlacement.BOTTOM))
        panel.tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
    for number, (expression, legend) in enumerate(told.queries):
        query = prometheus.Dataquery().expr(expression).ref_id(chr(ord("A") + number))
        panel.with_target(query.legend_format(legend).datasource(SOURCE))
    return panel


def make_board(told: Board) -> str:
    """One dashboard as JSON."""
    board = (
        dashboard.Dashboard(told.title)
        .uid(f"tower-{told.name}")
        .description(told.words)
        .tags(["agent-tower"])
        .readonly()
        .refresh("10s")
        .time("now-1h", "now")
        .timezone("browser")
        .tooltip(DashboardCursorSync.CROSSHAIR)
    )
    for title, panels in told.rows.items():
        board.with_row(dashboard.Row(title))
        for panel in panels:
            board.with_panel(make_panel(panel))
    built = json.loads(json.dumps(board.build(), cls=JSONEncoder))
    for number, panel in enumerate(built["panels"], 1):
        panel["id"] = number
    return json.dumps(built, indent=1, sort_keys=True) + "\n"


def main() -> None:
    """Write all of them."""
    FOLDER.mkdir(exist_ok=True)
    for board in BOARDS:
        (FOLDER / f"{board.name}.json").write_text(make_board(board), "utf-8")


if __name__ == "__main__":
    main()

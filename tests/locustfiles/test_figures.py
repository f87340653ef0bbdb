"""What is told of a server's metrics after a load: what grew meanwhile, and in which bucket."""

from locustfiles.figures import Reading, grown, lines, of_process, quantile_ms, read

FLUSH = "tower_hub_flush_seconds"


def page(fast: int, slow: int, cpu: float) -> str:
    """Metrics of a server that flushed so often."""
    return (
        f"# TYPE {FLUSH} histogram\n"
        f'{FLUSH}_bucket{{le="0.001"}} {fast}\n{FLUSH}_bucket{{le="0.01"}} {fast + slow}\n'
        f'{FLUSH}_bucket{{le="+Inf"}} {fast + slow}\n{FLUSH}_sum 0.5\n{FLUSH}_count {fast + slow}\n'
        f"# TYPE process_cpu_seconds counter\nprocess_cpu_seconds_total {cpu}\n"
    )


def test_only_what_grew_meanwhile_counts() -> None:
    """What a server did before the load is not the load's."""
    series = grown(read(page(1_000, 0, 5)), read(page(1_000, 10, 6)))
    assert quantile_ms(series, FLUSH, 0.5) == {"": 10.0}


def test_a_quantile_is_the_bucket_that_holds_it() -> None:
    """98 of 100 are fast: the median is, and the slowest hundredth is not."""
    series = grown(read(page(0, 0, 0)), read(page(98, 2, 1)))
    assert quantile_ms(series, FLUSH, 0.5) == {"": 1.0}
    assert quantile_ms(series, FLUSH, 0.99) == {"": 10.0}


def test_what_did_not_happen_has_no_quantile() -> None:
    """No flush, no time of a flush."""
    assert quantile_ms(grown(read(page(5, 5, 1)), read(page(5, 5, 2))), FLUSH, 0.5) == {}


def test_a_role_is_told_in_lines() -> None:
    """CPU over the time between the readings, and each histogram; nothing of what is not told."""
    told = lines("here", [Reading(10, read(page(0, 0, 1))), Reading(20, read(page(9, 1, 3)))])
    assert told == [
        "here: 20.0 % of a core",
        "here: 0.0 % of the time in flushes",
        f"here: {FLUSH}  p50 ≤ 1 ms, p99 ≤ 10 ms",
    ]


def test_a_process_is_told_as_linux_tells_it() -> None:
    """CPU of both kinds, and memory as it is held, whatever the program is called."""
    stat = "7 (a (b) c) S " + " ".join("0" * 10) + " 150 50 0"
    first, last = (of_process(stat, f"VmRSS:\t {kb} kB\n", 100) for kb in (1_000, 3_000))
    told = lines("hub", [Reading(0, first), Reading(1, last)])
    assert told == ["hub: 0.0 % of a core", "hub: 1 MB at first, 3 at most"]
    assert first["process_cpu_seconds_total", ()] == 2.0

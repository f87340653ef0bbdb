"""One target under libFuzzer until its time is over, or until something fails. Started by run.py.

Two ways: ``bytes`` changes good input by itself, ``cases`` chooses among the cases that Hypothesis
makes. Whatever reaches a line that none before it reached is kept in the corpus.
"""

import argparse
import random
import sys
from collections.abc import Callable
from pathlib import Path

import atheris

PACKAGES = ["session", "bus", "ingest", "hub", "history"]
BYTES_MAX = {"bytes": 16_384, "cases": 8_192}
HANG_S = 25
MEMORY_MB = 2_048

with atheris.instrument_imports(include=PACKAGES):
    from tests.fuzz.targets import TARGETS, Target


def words_file(at: Path, words: list[str]) -> list[str]:
    """libFuzzer's dictionary: what it may put in beside what it makes up."""
    if not words:
        return []
    told = [f'"\\"{word}\\":"' for word in words if word.isascii() and word.isprintable()]
    told += [r'"\\ud800"', '"null"', '"true"', '"NaN"', '"1e999"', '"[["', '"{\\"a\\":"', '"-1"']
    at.write_text("\n".join(told) + "\n")
    return [f"-dict={at}"]


def entry(target: Target, way: str) -> Callable[[bytes], object]:
    """What libFuzzer calls."""
    if way == "bytes":
        return target.check
    run: Callable[[bytes], object] = target.prop.hypothesis.fuzz_one_input
    return run


def seed(corpus: Path, target: Target, way: str) -> None:
    """The corpus to begin with: good input, or for cases some bytes to choose by."""
    chance = random.Random(target.name)  # noqa: S311 - the same corpus at every start
    good = target.corpus if way == "bytes" else [chance.randbytes(2_048) for _ in range(32)]
    for number, each in enumerate(good):
        (corpus / f"seed-{number}").write_bytes(each)


def main() -> None:
    """Never returns: libFuzzer ends the process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("way", choices=BYTES_MAX)
    parser.add_argument("--seconds", type=int, required=True)
    parser.add_argument("--corpus", type=Path, required=True)
    told = parser.parse_args()
    target = TARGETS[told.target]
    corpus: Path = told.corpus / f"{target.name}-{told.way}"
    corpus.mkdir(parents=True, exist_ok=True)
    seed(corpus, target, told.way)
    words = words_file(told.corpus / f"{target.name}.words", target.words)
    options = [
        f"-max_total_time={told.seconds}", f"-max_len={BYTES_MAX[told.way]}", f"-timeout={HANG_S}",
        f"-rss_limit_mb={MEMORY_MB}", "-print_final_stats=1", "-len_control=10",
        f"-artifact_prefix={told.corpus}/failed-{target.name}-{told.way}-",
        *(words if told.way == "bytes" else []), str(corpus),
    ]  # fmt: skip
    atheris.Setup([sys.argv[0], *options], entry(target, told.way))
    atheris.Fuzz()


if __name__ == "__main__":
    main()

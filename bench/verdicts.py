"""How often intervals cover the truth and verdicts are wrong, by simulation with the code that judges.

    python bench/verdicts.py coverage [--draws 200000]
    python bench/verdicts.py claims [--studies 10000]

`coverage` prints, for each number of seeds, how often the 80 % bootstrap interval of the mean and of the median holds
the truth, for normal noise: the table COVERAGE in `prunectl/results/statistics.py`. `claims` prints how often a claim
is wrongly refuted and wrongly supported: the table in docs/methods.md.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from simulated import SCENARIOS, covered, upper_bound, wrong

SIZES = (*range(3, 21), 30)


def coverage(draws: int) -> None:
    """Two columns of shares, by number of seeds."""
    print("seeds    mean  median")
    for n in SIZES:
        shares = [covered(n, of, draws if n <= 5 else draws // 20, seed=n) for of in ("mean", "median")]
        print(f"{n:>5}" + "".join(f"{share:>8.3f}" for share in shares), flush=True)


def claims(studies: int) -> None:
    """A line per scenario: the share of wrong verdicts and its 95 % upper bound (Clopper and Pearson)."""
    print("scenario                              cases  seeds  correlation   wrong   at most")
    for scenario in SCENARIOS:
        for cases in (14, 36):
            for seeds in (3, 5):
                for correlation in (0.0, 0.9):
                    count = wrong(scenario, studies, cases=cases, seeds=seeds, correlation=correlation)
                    most = upper_bound(count, studies)
                    print(
                        f"{scenario:<38}{cases:>5}{seeds:>7}{correlation:>13}{count / studies:>8.2%}{most:>10.2%}",
                        flush=True,
                    )


def main() -> None:
    """Run one of the two simulations."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["coverage", "claims"])
    parser.add_argument("--draws", type=int, default=200_000)
    parser.add_argument("--studies", type=int, default=10_000)
    given = parser.parse_args()
    coverage(given.draws) if given.what == "coverage" else claims(given.studies)


if __name__ == "__main__":
    main()

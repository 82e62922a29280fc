"""How often intervals cover the truth and verdicts are wrong, by simulation with the code that judges.

    python bench/verdicts.py coverage [--draws 200000]
    python bench/verdicts.py claims [--studies 10000]
    python bench/verdicts.py looks [--studies 10000]

`coverage` prints, for each number of seeds, how often the 80 % bootstrap interval of the mean and of the median holds
the truth, for normal noise: the table COVERAGE in `prunectl/results/statistics.py`. `claims` prints how often a claim
is wrongly refuted and wrongly supported: the table in docs/methods.md. `looks` prints the same where seeds are added
until the claim is settled, with the power and the seeds that it takes.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from prunectl.catalog.seeds import UntilSettled
from simulated import SCENARIOS, covered, in_turn, upper_bound, wrong

SIZES = (*range(3, 21), 30)

SETTINGS = ((0.0, 1, 0.0), (-1e-6, 1, 0.0), (0.0, 14, 0.0), (0.0, 14, 0.9), (1.0, 1, 0.0))
"""For `looks`: where the truth of every case lies from the margin, the number of cases, and their correlation."""


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


def looks(studies: int) -> None:
    """A line per setting: the shares of both answers, their 95 % upper bounds, and the mean number of seeds.

    At the margin a claim is true, and refuting it is wrong; just below it is false, and supporting it is wrong.
    """
    print("truth, SD  at least  at most  cases  correlation  supported  at most  refuted  at most  seeds")
    for least, most in ((3, 12), (3, 8), (5, 10)):
        taken = UntilSettled(at_least=least, until="settled", at_most=most).looks
        for truth, cases, correlation in SETTINGS:
            answers, seeds = in_turn(taken, truth, studies, cases=cases, correlation=correlation)
            shown = "".join(
                f"{answers[answer] / studies:>10.2%}{upper_bound(answers[answer], studies):>9.2%}"
                for answer in ("supported", "refuted")
            )
            print(f"{truth:>9g}{least:>10}{most:>9}{cases:>7}{correlation:>13} {shown}{seeds:>7.1f}", flush=True)


def main() -> None:
    """Run one of the simulations."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["coverage", "claims", "looks"])
    parser.add_argument("--draws", type=int, default=200_000)
    parser.add_argument("--studies", type=int, default=10_000)
    given = parser.parse_args()
    if given.what == "coverage":
        coverage(given.draws)
    elif given.what == "claims":
        claims(given.studies)
    else:
        looks(given.studies)


if __name__ == "__main__":
    main()

"""Top-1 accuracy by arm and sparsity as a LaTeX table in the style of booktabs."""

from __future__ import annotations

from prunectl.base.text import visible
from prunectl.report.grid import Cell, Grid, arms_by_sparsity
from prunectl.results import coverage, judgement
from prunectl.results.statistics import Center
from prunectl.results.table import Results

ESCAPES = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", "–": "--", "—": "---", "…": r"\ldots{}", "‘": "`", "’": "'", "“": "``", "”": "''",
    "−": "$-$", "×": r"$\times$", "·": r"$\cdot$", "±": r"$\pm$", "≥": r"$\geq$", "≤": r"$\leq$", "≈": r"$\approx$",
    "≠": r"$\neq$", "∞": r"$\infty$", "√": r"$\surd$", "→": r"$\rightarrow$", "←": r"$\leftarrow$", "°": r"$^\circ$",
    "½": r"$\frac{1}{2}$", "¹": "$^1$", "²": "$^2$", "³": "$^3$", "α": r"$\alpha$", "β": r"$\beta$", "γ": r"$\gamma$",
    "δ": r"$\delta$", "Δ": r"$\Delta$", "ε": r"$\epsilon$", "ζ": r"$\zeta$", "η": r"$\eta$", "θ": r"$\theta$",
    "κ": r"$\kappa$", "λ": r"$\lambda$", "µ": r"$\mu$", "μ": r"$\mu$", "π": r"$\pi$", "ρ": r"$\rho$", "σ": r"$\sigma$",
    "ᶜ": r"$^{c}$", "Σ": r"$\Sigma$", "τ": r"$\tau$", "φ": r"$\phi$", "ω": r"$\omega$",
}  # fmt: skip
"""What plain pdflatex reads as a command or does not know, as it is written there."""
LETTERS = ("À", "ž")
"""The first and the last of the letters beyond ASCII that plain pdflatex knows."""


def escaped(text: str) -> str:
    """Text that plain pdflatex prints as it is; what it cannot print becomes the number of its character."""
    known = "".join(map(_known, visible(text)))
    return "".join(ESCAPES.get(char, char) for char in known)


def _known(char: str) -> str:
    if char.isascii() or char in ESCAPES or LETTERS[0] <= char <= LETTERS[1]:
        return char
    return char.encode("unicode_escape").decode("ascii")


def table(results: Results, center: Center) -> str:
    """The table with its caption, ready to be included."""
    grid = arms_by_sparsity(results.trials, center, results.study.report.matching_margin, task=results.task)
    matching = ["matching"] if grid.matching else []
    body = [
        " & ".join([escaped(row.arm), *map(_cell, row.cells), *(escaped(row.matching) for _ in matching)]) + r" \\"
        for row in grid.rows
    ]
    return "\n".join(
        [
            "% needs \\usepackage{booktabs}",
            *([f"% run with {visible(results.selection.text)}"] if results.selection else []),
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{_caption(results, grid)}}}",
            rf"\label{{tab:{results.study.name}}}",
            rf"\begin{{tabular}}{{l{'r' * len([*grid.heads, *matching])}}}",
            r"\toprule",
            " & ".join(["", *map(escaped, grid.heads), *matching]) + r" \\",
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}",
            *(
                rf"\par\smallskip{{\footnotesize {escaped(text)}.\par}}"
                for text in [*([grid.chance] if grid.chance else []), *coverage.lacking(results.trials)]
            ),
            r"\end{table}",
            *_judged(results),
            "",
        ]
    )


def _judged(results: Results) -> list[str]:
    """What a criterion that is judged is found to be, as a table of its own."""
    found = judgement.findings(results)
    if not found:
        return []
    caption = f"{results.study.report.judged}, judged. Intervals are 95 % t-intervals of differences paired by seed."
    columns = r"p{0.3\linewidth}p{0.18\linewidth}p{0.42\linewidth}"
    rows = [" & ".join(map(escaped, (each.question, each.answer, each.evidence))) + r" \\" for each in found]
    return [
        "",
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{escaped(caption)}}}",
        rf"\label{{tab:{results.study.name}-judged}}",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        r"question & answer & evidence \\",
        r"\midrule",
        *rows,
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]


def _caption(results: Results, grid: Grid) -> str:
    title = escaped(results.headline)
    seeds = f"{grid.of} over {grid.several_seeds}" if grid.seeds > 1 else "one seed"
    spread = f", with the {escaped(grid.interval)}" if grid.interval else ""
    dense = "".join(f" {escaped(name.capitalize())}: {escaped(cell.with_spread)}." for name, cell in grid.dense.items())
    matching = f" {escaped(grid.matching)}" if grid.matching else ""
    return f"{title}: top-1 accuracy in percent by sparsity, {seeds}{spread}.{dense}{matching}"


def _cell(cell: Cell) -> str:
    text = escaped(cell.text)
    text = rf"\textbf{{{text}}}" if cell.best else text
    return f"{text} {{\\scriptsize {escaped(cell.spread).replace(' to ', '--')}}}" if cell.spread else text

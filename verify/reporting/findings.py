"""What is wrong in the paper, or needs a correction: printed, true, why, and where it is shown.

The page opens with these, and the errata of verify/README.md are written from them. Formulas are
written as text, ``(n-1)/(s n-1) sigma^2``, which `mathml` typesets.
"""

from __future__ import annotations

import html
import re
from typing import NamedTuple


class Finding(NamedTuple):
    """One statement of the paper that is not true as it stands.

    Attributes
    ----------
    claims : tuple of str
        Identifiers of the ledger; the first one's verdict is the finding's.
    says : str
        What was found, in one sentence.
    printed, true : str
        The formula or statement of the paper, and what holds in its place. Text between dollar
        signs is a formula.
    example : str
        The smallest counterexample, in one sentence.
    proof : str
        Why, in a few sentences.
    demo : str or None
        The script that shows it.
    """

    claims: tuple[str, ...]
    says: str
    printed: str
    true: str
    example: str
    proof: str
    demo: str | None = None


FINDINGS = (
    Finding(
        ("S3-good-var",),
        "The variance of a good average (one without a Byzantine vector), equation (9), is wrong"
        " for f >= 1 and s >= 2.",
        "$var(g_t) = (n-1)/(s n-1) sigma^2$",
        "$var(g_t) = (m-1)/(s m-1) sigma^2$ with $m = n-f$, the number of good workers",
        "n = 3 workers, one of them Byzantine, s = 2: the good average of two good vectors 0 and 1"
        " has 1/3 of their variance, not 2/5.",
        "Given that g_t is good, its s places are drawn without replacement from the s m copies of"
        " the good workers, every arrangement alike: this is (8) with m in place of n. As"
        " (n-1)/(sn-1) grows with n if s >= 2, what is printed is an upper bound.",
        "equation_9",
    ),
    Finding(
        ("S3-cap", "S3-good", "S3-dep"),
        "The loop of Algorithm 2, as printed, can use a worker more than s times, and can leave"
        " fewer than T - sf good averages.",
        "each gradient can be sampled at most s times, by the loop: draw j; if $c[j] < s$ then"
        " $c[j] += 1$; if $c[j] = s$ leave the loop",
        "this loop keeps no such bound; it is kept if s copies of every index are listed, shuffled"
        " and cut into groups of s",
        "n = 2 workers, s = 1: with chance 1/2 both averages are the same worker's; if it is"
        " Byzantine (f = 1, chance 1/4), none is good, though T - sf = 1.",
        "The first place goes to some worker j, which then has c[j] = 1 = s. With chance 1/2 the"
        " second draw is j again; c[j] = s is true, so the loop ends and j is used twice. In"
        " general 2s draws of one worker fill s + 1 places with it: for every n and s the chance is"
        " at least n^(1-2s). With s = 1 every draw ends the loop, so the averages are independent.",
        "algorithm_2_as_printed",
    ),
    Finding(
        ("S3-var", "S3-ident", "S3-good-ident"),
        "Equation (8) holds for shuffled copies, not if indices are redrawn one by one until one"
        " with c[j] < s comes up.",
        "$var(g_t) = (n-1)/(s n-1) sigma^2$ for every t, identically distributed",
        "so it is if s copies of every index are shuffled; with a redraw $var(g_1) = 1/s sigma^2$,"
        " and for n >= 3 the laws differ with t",
        "n = 3, s = 2, redrawn: 1/2, 31/72 and 13/24 of the variance for t = 1, 2, 3, not 2/5.",
        "Let q be the chance that two places of g_t hold the same worker. The variance is"
        " (1/s)(1 + (s-1)(nq-1)/(n-1)) sigma^2, and q = (s-1)/(sn-1), that of shuffled copies,"
        " gives (8). With a redraw no worker can reach its cap before the s places of g_1 are"
        " filled, so they are independent: q = 1/n, and the variance is larger than (8) for every n"
        " and s >= 2.",
        "algorithm_2_as_printed",
    ),
    Finding(
        ("S3-robust",),
        "KRUM after resampling is robust only if n >= 2sf + 2, and it pays only for few attackers.",
        "KRUM after resampling is robust on heterogeneous data, $n >= 2 f+3$",
        "it is if $n >= 2 s f+2$ and $n >= s f+3$: its squared distance from the mean of the good"
        " averages is at most kappa(n, sf) times their variance",
        "n = 8, f = s = 2: half of the averages can hold a Byzantine vector, and KRUM follows them"
        " anywhere.",
        "Every Byzantine vector may be in s averages. Placed near one another, half of all averages"
        " have the lowest scores, however far away they are. The bound is proved in"
        " robustmath.theory.rules.",
        "choosing_s",
    ),
    Finding(
        ("S2-nm-rfa1",),
        "RFA with T = 1 has the direction of the normalized mean (4), but not its length.",
        "RFA, T = 1: $sum_i g_i/|g_i|$",
        "RFA, T = 1: $(sum_i g_i/|g_i|)/(sum_i 1/|g_i|)$",
        "One worker that sends 2: RFA returns 2, (4) returns 1.",
        "A Weiszfeld step from 0 has the weights 1/|g_i - 0| and returns the weighted mean, whose"
        " numerator is (4). So attack (6) works, and RFA needs another learning rate.",
        "normalized_mean_attack",
    ),
    Finding(
        ("S1-cost",),
        "The cost of resampling is linear in n and d, but on one CPU it is not negligible.",
        "negligible computational cost",
        "s n d operations, a thirtieth of the gradients' products at s = 2 and batch 32; in time, a"
        " larger fraction of the rest of the step, measured in each run",
        "",
        "Each of n d entries is a mean of s numbers; a gradient takes a product forward and one"
        " back for each weight and sample.",
    ),
    Finding(
        ("S4-fig2a",),
        "Resampling improves KRUM and spreads its selection, but not evenly.",
        'KRUM\'s selection becomes "much more evenly distributed"',
        "three of eight workers keep most of the selections; evenly they would have 37.5 %",
        "",
        "",
        "krum_has_favourites",
    ),
    Finding(
        ("S4-fig2b",),
        "Resampling defends RFA T = 1 on non-iid data; on iid data it costs some points.",
        '"almost the same accuracy for both iid and non-iid"',
        "yes, but on iid data RFA T = 1 under attack (6) is worse with resampling than without",
        "",
        "",
    ),
    Finding(
        ("S4-fig3",),
        "Resampling improves most cells of Figure 3, and restores neither KRUM nor CM under"
        " flipped bits and labels.",
        "improves the accuracy on most of the tasks",
        "it does; KRUM and CM stay far below their accuracy without attackers",
        "",
        "",
    ),
    Finding(
        ("S4-rfa-mimic",),
        "RFA T = 1 withstands mimic better than T = 8; it is no worse under the normalized-mean"
        " attack.",
        "less robust to normalized-mean attacks",
        "no difference was found",
        "",
        "",
    ),
)


def finding_of(claim_id: str) -> Finding | None:
    """Return the finding on a claim, None if there is none."""
    return next((finding for finding in FINDINGS if claim_id in finding.claims), None)


def typeset(text: str) -> str:
    """Return text with its $formulas$ as HTML and MathML, and >= elsewhere as one sign."""
    parts = text.split("$")
    return "".join(
        f'<math displaystyle="true">{mathml(part)}</math>'
        if odd
        else html.escape(part.replace(">=", "≥"))
        for odd, part in ((i % 2, part) for i, part in enumerate(parts))
    )


SYMBOLS = {"sigma": "σ", "sum": "∑", ">=": "≥", "+=": "+=", "-": "−"}
TOKENS = re.compile(r"\s*(>=|\+=|[A-Za-z]+|[0-9]+|.)")


def mathml(formula: str) -> str:
    """Return a formula as MathML: names, numbers, a/b, (...), |...|, a_b, a^b, side by side.

    A quotient takes the factor before and after the stroke; brackets around either are dropped.
    """
    tokens = TOKENS.findall(formula.strip())
    return "".join(_row(tokens, None))


def _row(tokens: list[str], end: str | None) -> list[str]:
    """Take tokens up to `end` and return their elements."""
    out: list[str] = []
    while tokens and tokens[0] != end:
        token = tokens.pop(0)
        if token == "/":
            out.append(f"<mfrac>{_bare(out.pop())}{_bare(_factor(tokens.pop(0), tokens))}</mfrac>")
        elif token in "_^" and out:
            tag = "msub" if token == "_" else "msup"
            out.append(f"<{tag}>{out.pop()}{_index(tokens)}</{tag}>")
        else:
            out.append(_factor(token, tokens))
    return out


def _factor(token: str, tokens: list[str]) -> str:
    """Return an element, with what is in the brackets that the token opens, and its indices."""
    closing = {"(": ")", "|": "|", "[": "]"}.get(token)
    if closing is not None:
        inner = "".join(_row(tokens, closing))
        tokens.pop(0)
        size = "" if "<mfrac>" in inner else ' stretchy="false"'
        element = f"<mrow><mo{size}>{token}</mo>{inner}<mo{size}>{closing}</mo></mrow>"
    else:
        element = _atom(token)
    while tokens and tokens[0] in ("_", "^"):
        tag = "msub" if tokens.pop(0) == "_" else "msup"
        element = f"<{tag}>{element}{_index(tokens)}</{tag}>"
    return element


def _index(tokens: list[str]) -> str:
    """Return a subscript or superscript: what is in brackets, else one token."""
    token = tokens.pop(0)
    return _bare(_factor(token, tokens)) if token == "(" else _atom(token)


def _bare(element: str) -> str:
    """Return an element without the round brackets around it."""
    inner = re.fullmatch(r"<mrow><mo[^>]*>\(</mo>(.*)<mo[^>]*>\)</mo></mrow>", element)
    return f"<mrow>{inner[1]}</mrow>" if inner else element


def _atom(token: str) -> str:
    if token == "var":
        return "<mi>var</mi>"
    text = html.escape(SYMBOLS.get(token, token))
    if token.isdigit():
        return f"<mn>{text}</mn>"
    return f"<mi>{text}</mi>" if token.isalpha() and token != "sum" else f"<mo>{text}</mo>"

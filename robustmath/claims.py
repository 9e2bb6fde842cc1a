"""The ledger: every checkable sentence of the paper, in its order, as data.

A claim has an identifier, its place in the paper and a sentence of ours that says what is claimed.
What is known about it is not written here: ``pytest verify/`` finds that out.

Algorithm 2 can be read in several ways (`robustmath.sample_slots`). S3-cap is a sentence on its
loop and is judged for the loop as printed. The other sentences on it are judged for s shuffled
copies of every index, cut into groups; if the loop as printed or a redraw breaks such a sentence,
it holds with a correction: that the copies be shuffled.

Adding a claim is adding a line; its place in the tuple is its place in every report. What the paper
does not say stands apart, with identifiers that begin with F.
"""

from __future__ import annotations

from typing import NamedTuple

from robustmath._checks import hint

HOLDS = "holds"
CORRECTED = "holds with a correction"
REFUTED = "refuted as printed"
REPRODUCED = "reproduced"
NOT_REPRODUCED = "not reproduced"

AS_PRINTED = "the loop as printed"
SHUFFLED = "shuffled copies"


class Claim(NamedTuple):
    """One checkable sentence of the paper.

    Attributes
    ----------
    id : str
        The identifier under which reports list it.
    source : str
        Where the paper says it.
    statement : str
        What is claimed, in one sentence.
    defines : tuple of str
        What it is about, as functions of `robustmath.textbook`.
    reading : str
        The reading of Algorithm 2 for which it is judged, if it is about Algorithm 2.

    Examples
    --------
    >>> Claim("S3-mean", "section 3, eq. (8)", "The mean of every output g_t is mu.").id
    'S3-mean'
    """

    id: str
    source: str
    statement: str
    defines: tuple[str, ...] = ()
    reading: str = ""


PAPER = (
    Claim("S1-cost", "sections 1 and 3", "Resampling has negligible computational cost."),
    Claim(
        "S1-sgd",
        "section 1, eq. (2)",
        "With the mean as the rule, (2) is standard minibatch SGD.",
        defines=("step", "mean"),
    ),
    Claim(
        "S2-krum-def",
        "section 2.1, eq. (3)",
        "KRUM returns the vector with the least sum of squared distances to its n-f-2 closest"
        " vectors, for n >= 2f+3.",
        defines=("krum",),
    ),
    Claim(
        "S2-krum-bias",
        "section 2.1, fig. 1a",
        "On heterogeneous data KRUM keeps choosing the same few workers, with no attacker at all.",
    ),
    Claim(
        "S2-krum-multi",
        "section 2.1",
        "On iid data without attackers KRUM is close to the mean and MULTI-KRUM fills the gap.",
        defines=("multi_krum",),
    ),
    Claim(
        "S2-nm-bounded",
        "section 2.2, eq. (4)",
        "Normalizing the vectors limits the influence of any one worker.",
        defines=("normalized_mean",),
    ),
    Claim(
        "S2-nm-rfa1",
        "section 2.2, eq. (4)",
        "RFA with T=1 is the normalized mean (4).",
        defines=("rfa", "normalized_mean"),
    ),
    Claim(
        "S2-rsa",
        "section 2.2, eq. (5)",
        "RSA normalizes entry by entry: a worker's vote is lambda times the sign of a difference.",
        defines=("rsa",),
    ),
    Claim(
        "S2-nm-attack",
        "section 2.2, eq. (6)",
        "Attackers who send minus the sum of the good unit vectors foil the normalized mean.",
        defines=("normalized_mean_attack",),
    ),
    Claim(
        "S2-nm-noniid",
        "section 2.2, fig. 1b",
        "More attackers lower the accuracy of RFA T=1 further, on non-iid data more than on iid.",
    ),
    Claim(
        "S2-gm-def",
        "section 2.3, eq. (7)",
        "The geometric median minimizes the sum of distances to the vectors.",
        defines=("geometric_median",),
    ),
    Claim(
        "S2-median",
        "section 2.3",
        "With good workers half at +1 and half at -1 and one Byzantine worker at +1, the true mean"
        " is 0 and the median (7) returns 1.",
        defines=("geometric_median", "coordinatewise_median"),
    ),
    Claim(
        "S2-mimic2",
        "section 2.3",
        "Under mimic2 the median of the gradients received is always g1.",
        defines=("mimic",),
    ),
    Claim(
        "S2-mimic2-acc",
        "section 2.3, fig. 1c",
        "Under mimic2 on non-iid data the test accuracy of CM and RFA drops to around 50 %.",
    ),
    Claim(
        "S3-cap",
        "section 3, Algorithm 2",
        "Every gradient is used at most s times.",
        defines=("verbatim", "usage_counts"),
        reading=AS_PRINTED,
    ),
    Claim(
        "S3-mean",
        "section 3, eq. (8)",
        "The mean of every output g_t is mu.",
        defines=("resample",),
        reading=SHUFFLED,
    ),
    Claim(
        "S3-var",
        "section 3, eq. (8)",
        "The variance of every output g_t is (n-1)/(sn-1) sigma^2.",
        defines=("resample", "variance"),
        reading=SHUFFLED,
    ),
    Claim(
        "S3-ident",
        "section 3, Proposition I",
        "The outputs g_t are identically distributed.",
        reading=SHUFFLED,
    ),
    Claim(
        "S3-dep",
        "section 3, after eq. (9)",
        "The outputs g_t are not independent.",
        reading=SHUFFLED,
    ),
    Claim(
        "S3-lower",
        "section 3",
        "The outputs are more homogeneous than the inputs: their variance is lower.",
        reading=SHUFFLED,
    ),
    Claim(
        "S3-good",
        "section 3, Proposition I",
        "At least T - sf of the T outputs are good.",
        defines=("good_outputs",),
        reading=SHUFFLED,
    ),
    Claim(
        "S3-good-ident",
        "section 3, Proposition I",
        "The good outputs are identically distributed.",
        reading=SHUFFLED,
    ),
    Claim(
        "S3-good-mean",
        "section 3, eq. (9)",
        "The mean of a good output is the mean of the good.",
        reading=SHUFFLED,
    ),
    Claim(
        "S3-good-var",
        "section 3, eq. (9)",
        "The variance of a good output is (n-1)/(sn-1) times the variance of the good.",
        reading=SHUFFLED,
    ),
    Claim(
        "S3-robust",
        "section 3, Appendix B",
        "KRUM after resampling is robust on heterogeneous data.",
        defines=("resampled",),
        reading=SHUFFLED,
    ),
    Claim(
        "S4-fig1a",
        "section 4, fig. 1a",
        "Without attackers KRUM is close to the mean on iid data and falls behind on non-iid data.",
    ),
    Claim(
        "S4-fig2a",
        "section 4.1, fig. 2a",
        "Resampling improves KRUM on non-iid data and evens out which workers it selects.",
    ),
    Claim(
        "S4-multi",
        "section 4.1, fig. 2a",
        "On non-iid data KRUM with resampling (s=2) beats MULTI-KRUM with m=2.",
    ),
    Claim(
        "S4-fig2b",
        "section 4.1, fig. 2b",
        "Resampling lets RFA T=1 defend against the normalized-mean attack, almost as well on"
        " non-iid data as on iid.",
    ),
    Claim(
        "S4-fig2c",
        "section 4.1, fig. 2c",
        "Under mimic2 resampling lifts CM and RFA on non-iid data to the level of iid data.",
    ),
    Claim(
        "S4-fig3",
        "section 4.2, fig. 3",
        "Resampling improves the accuracy of most pairs of rule and attack.",
    ),
    Claim(
        "S4-rfa-mimic",
        "section 4.2, fig. 3",
        "RFA T=1 is more robust to mimic than RFA T=8, and less robust to normalized-mean attacks.",
    ),
)

BEYOND = (
    Claim(
        "F-lower",
        "Allouah et al. 2023",
        "No rule has a robustness coefficient below f/(n-2f).",
    ),
    Claim(
        "F-trimmed-mean",
        "Allouah et al. 2023; ours",
        "The trimmed mean has kappa = f/(n-2f), the least possible; published is"
        " 6 f/(n-2f) (1 + f/(n-2f)).",
        defines=("trimmed_mean",),
    ),
    Claim(
        "F-median",
        "Allouah et al. 2023; ours",
        "The coordinate-wise median has kappa = (m-q)/q, m = n-f, q = floor(n/2)+1-f; published is"
        " 4 (1 + f/(n-2f))^2.",
        defines=("coordinatewise_median",),
    ),
    Claim(
        "F-geometric",
        "Allouah et al. 2023; ours",
        "The geometric median has kappa = h/(m-h), h = floor(n/2); published is"
        " 4 (1 + f/(n-2f))^2.",
        defines=("geometric_median",),
    ),
    Claim(
        "F-smea",
        "Allouah et al. 2023; ours",
        "Averaging with the smallest largest eigenvalue has kappa = 4f/(n-2f); published is"
        " 4f/(n-f) (1 + f/(n-2f))^2.",
        defines=("smallest_maximum_eigenvalue_averaging",),
    ),
    Claim(
        "F-monna",
        "ours",
        "MoNNA with a good pivot has kappa = 4f(f+1)/(n-f).",
        defines=("monna",),
    ),
    Claim(
        "F-mda",
        "ours",
        "Averaging with the smallest diameter has kappa = (2f^2 + 3f + f^2/(n-2f-1))/(n-f), and"
        " (5f^2 + 3f)/(f+1) for n = 2f+1.",
        defines=("minimum_diameter_averaging",),
    ),
    Claim(
        "F-meamed",
        "ours",
        "The mean around the median has kappa = 4f(q+f)/(m q), m = n-f, q = floor(n/2)+1-f.",
        defines=("mean_around_median",),
    ),
    Claim(
        "F-mom",
        "ours",
        "The median of 2f+1 means has kappa = (m-r)/r, r = floor(n/(2f+1)).",
        defines=("median_of_means",),
    ),
    Claim(
        "F-krum",
        "ours",
        "KRUM has as its kappa the value of a program of five numbers: 25/6 for (n, f) = (5, 1),"
        " 3f+5 for n = 2f+2 >= 8.",
        defines=("krum",),
    ),
    Claim(
        "F-multi-krum",
        "ours",
        "MULTI-KRUM with m = n-f rows has kappa at most 4f(m-1)/(m(n-2f-1)) if f(f-1) <= 2b(b+1),"
        " b = n-2f-1, and at least 4f/(n-2f).",
        defines=("multi_krum",),
    ),
    Claim(
        "F-bulyan",
        "ours",
        "Bulyan has kappa at most (m/b^2) w - 1, m = n-f, b = n-4f, w the largest of what r <="
        " min(f, b) Byzantine rows among the b kept can make of it; m - 1 for n = 4f+1 and 4f+2.",
        defines=("bulyan",),
    ),
    Claim(
        "F-caf",
        "ours",
        "CAF has kappa at most (sqrt(A) + sqrt(2f))^2/(n-3f) for n >= 3f+1, A = (n-f)"
        " (sqrt(n/(n-2f)) - 1), and a finite one for n >= 2f+1.",
        defines=("caf",),
    ),
    Claim(
        "F-dnc",
        "ours",
        "DnC with f = 1 and all coordinates has kappa = 4/(n-2).",
        defines=("dnc",),
    ),
    Claim(
        "F-nnm",
        "Allouah et al. 2023; ours",
        "Mixing neighbours first makes kappa at most 4a L (kappa + 1), a = f/(n-f),"
        " r = sqrt(a(1-a)), u = 1+a-r, L = a + r + (u + sqrt(u^2 + (a+r)^2))/2 or 2, the smaller;"
        " published is 2.",
        defines=("nearest_neighbor_mixing",),
    ),
    Claim(
        "F-arc",
        "Allouah et al. 2025; ours",
        "Adaptive clipping first makes kappa at most kappa + k/(n-f-k), k = floor(2f(n-f)/n), which"
        " the median attains; published is kappa + 2f/(n-2f).",
        defines=("adaptive_clipping",),
    ),
    Claim(
        "F-bucket",
        "ours",
        "The median of buckets of two has kappa = (m-a)/a, a rows in the q smallest good buckets,"
        " and (9f+1)/8 for n = 4f+3.",
        defines=("bucket",),
    ),
    Claim(
        "F-breakdown",
        "ours",
        "Told the largest f that it withstands, a rule is driven arbitrarily far by f+1 vectors.",
    ),
)
"""Statements on robust rules that the paper does not make."""

CLAIMS = PAPER + BEYOND
"""All rows of a report, those of the paper first."""


def find_claim(claim_id: str) -> Claim:
    """Return the claim with this identifier.

    Parameters
    ----------
    claim_id : str
        An identifier of the ledger, such as ``"S3-var"``.

    Returns
    -------
    Claim
        The ledger's entry.

    Raises
    ------
    ValueError
        If there is no such claim; the message names the nearest identifier.

    Examples
    --------
    >>> find_claim("S3-var").source
    'section 3, eq. (8)'
    >>> find_claim("S3-varr")
    Traceback (most recent call last):
    ...
    ValueError: find_claim knows no claim 'S3-varr'; did you mean 'S3-var'?
    """
    for claim in CLAIMS:
        if claim.id == claim_id:
            return claim
    ids = [claim.id for claim in CLAIMS]
    raise ValueError(f"find_claim knows no claim {claim_id!r}{hint(claim_id, ids)}")

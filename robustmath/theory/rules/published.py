"""How far a rule can be driven from the mean of the good vectors: bounds as they are published.

n vectors, f Byzantine; kappa the robustness coefficient, see `kappa`.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from robustmath._checks import as_choice, as_integer
from robustmath.aggregators.catalogue import MIXING, RULES
from robustmath.aggregators.record import Published

__all__ = ["PublishedBound", "published_bound"]

THEIR_KRUM = Published(lambda r, _: 6 * (1 + r), MIXING)


class PublishedBound(NamedTuple):
    """An upper bound on kappa and where it is published.

    Attributes
    ----------
    kappa
        The bound.
    source
        Authors, year and number in the arXiv.

    Examples
    --------
    >>> published_bound("geometric_median", 10, 2).source
    'Allouah et al. 2023, arXiv 2302.01772'
    """

    kappa: Fraction
    source: str


def published_bound(rule: str, n: int, f: int) -> PublishedBound | None:
    """Return the published upper bound on kappa, None for a rule that has none.

    ========================================== ====================================
    rule                                       bound, all for n >= 2f+1
    ========================================== ====================================
    ``trimmed_mean``                           6 f/(n-2f) (1 + f/(n-2f))
    ``coordinatewise_median``                  4 (1 + f/(n-2f))^2
    ``geometric_median``                       4 (1 + f/(n-2f))^2
    ``published_krum``                         6 (1 + f/(n-2f))
    ``smallest_maximum_eigenvalue_averaging``  4 f/(n-f) (1 + f/(n-2f))^2
    ``nearest_neighbor_mixing,                 8 f/(n-f) (kappa + 1), kappa the
    coordinatewise_median``                    published one of the median
    ``adaptive_clipping,                       kappa + 2 f/(n-2f), kappa as above
    coordinatewise_median``
    ========================================== ====================================

    ``published_krum`` is the Krum of Allouah et al., which sums over the n - f closest vectors, the
    vector itself among them, so n - f - 1 others. `krum` is equation (3), which sums over the
    n - f - 2 closest of the others; the bound for the former does not hold for it by their proof,
    but its exact kappa is below that bound wherever it was computed, for all n up to 40.
    The bound for the eigenvalue rule is on the multiple of the largest eigenvalue of the good
    vectors' covariance, which is no more than their variance.

    Parameters
    ----------
    rule : str
        The rule's name in `robustmath`, or ``published_krum``.
    n : int >= 2f + 1
        Number of vectors.
    f : int >= 0
        Number of Byzantine vectors among them.

    Returns
    -------
    PublishedBound or None

    Raises
    ------
    ValueError
        If the rule is unknown, or n or f is out of range.

    References
    ----------
    Allouah, Farhadkhani, Guerraoui, Gupta, Pinot and Stephan (2023), Fixing by mixing, arXiv
    2302.01772; Allouah, Guerraoui, Gupta, Pinot and Stephan (2023), On the
    privacy-robustness-utility trilemma in distributed learning, arXiv 2302.04787: the eigenvalue
    rule; Allouah, Guerraoui, Gupta, Jellouli, Rizk and Stephan (2025), Adaptive gradient clipping
    for robust federated learning, arXiv 2405.14432: the last.

    Examples
    --------
    >>> published_bound("geometric_median", 3, 1)
    PublishedBound(kappa=Fraction(16, 1), source='Allouah et al. 2023, arXiv 2302.01772')
    >>> published_bound("bulyan", 11, 2) is None
    True
    """
    f = as_integer(f, "published_bound", "f", 0)
    n = as_integer(n, "published_bound", "n", 2 * f + 1)
    rule = as_choice(rule, "published_bound", "rule", (*RULES, "published_krum"))
    published = THEIR_KRUM if rule == "published_krum" else RULES[rule].published
    if published is None:
        return None
    return PublishedBound(
        published.kappa(Fraction(f, n - 2 * f), Fraction(f, n - f)), published.source
    )

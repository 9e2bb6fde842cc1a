"""The places of Algorithm 2 filled one after the other: an exact law on kinds of workers.

Every reading of Algorithm 2 treats the workers alike, so its state is not who was drawn but how
many workers there are of each kind. A kind is (c, label): how often the worker has been counted
and what a question wants to remember of it (its places in one output, say). A law maps states to
probabilities, all of them Fractions. Labels turn questions into sums: a label that counts places
gives the law of an output, a label that forbids a worker leaves the part of the law in which it
was not drawn, whose total is the probability of that event.

n workers, f Byzantine, s copies, T outputs, m = n - f good, c[j] how often worker j was counted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from fractions import Fraction

Label = tuple[int, ...]
Kind = tuple[int, Label]
State = tuple[tuple[Kind, int], ...]
Law = Mapping[State, Fraction]


def start(workers: Mapping[Label, int]) -> Law:
    """Return the law before the first draw, all c = 0: `workers` counts them by their label."""
    state = tuple(sorted(((0, label), count) for label, count in workers.items() if count))
    return {state: Fraction(1)}


def fill_place(
    law: Law, s: int, reading: str, relabel: Callable[[Label], Label | None] = lambda label: label
) -> Law:
    """Return the law after one more place; its worker's label becomes `relabel(label)`.

    Where `relabel` returns None that worker may not hold the place, and what is returned is the
    part of the law in which it does not: a measure whose total is the probability of that.
    """
    filled: defaultdict[State, Fraction] = defaultdict(Fraction)
    # Ordered by the sum of the counts, which each further draw for the same place raises by one:
    # ways that lead to the same state meet before they are followed on.
    waiting: defaultdict[int, defaultdict[State, Fraction]]
    waiting = defaultdict(lambda: defaultdict(Fraction))
    for state, probability in law.items():
        waiting[sum(c * count for (c, _), count in state)][state] += probability
    while waiting:
        counted = min(waiting)
        for state, probability in waiting.pop(counted).items():
            chances = [(kind, count * _chance(kind[0], s, reading)) for kind, count in state]
            unit = probability / sum(chance for _, chance in chances)
            for (c, label), chance in chances:
                if chance == 0:
                    continue
                if reading == "verbatim" and c < s - 1:
                    again = _move(state, (c, label), (c + 1, label))
                    waiting[counted + 1][again] += unit * chance
                elif (new := relabel(label)) is not None:
                    raised = 0 if reading == "independent" else min(c + 1, s)
                    filled[_move(state, (c, label), (raised, new))] += unit * chance
    return filled


def fill_output(
    law: Law, s: int, reading: str, relabel: Callable[[Label], Label | None] = lambda label: label
) -> Law:
    """Return the law after the s places of one more output; see `fill_place`."""
    for _ in range(s):
        law = fill_place(law, s, reading, relabel)
    return law


def _chance(c: int, s: int, reading: str) -> int:
    """Return the relative chance of a worker counted c times to be drawn next."""
    if reading == "shuffled":
        return s - c
    if reading == "sequential":
        return int(c < s)
    return 1


def _move(state: State, old: Kind, new: Kind) -> State:
    """Return the state in which one worker of kind `old` has become one of kind `new`."""
    counts = dict(state)
    counts[old] -= 1
    if counts[old] == 0:
        del counts[old]
    counts[new] = counts.get(new, 0) + 1
    return tuple(sorted(counts.items()))

"""How fast, how exact and how frugal the rules are, as ratios measured in one run.

    python -m tests.benchmarks                          everything
    python -m tests.benchmarks --only rules/10x79510 trials --out build/benchmarks
    python -m tests.benchmarks --quick                  small shapes, in seconds
    python -m tests.benchmarks compare OLD.json NEW.json

A part writes records: flat dictionaries of what was measured, on what, and the number. Tables, the
figure, the list of goals and the comparison are functions of the records alone. Parts can run one
by one: with ``--out DIR`` they add to ``DIR/benchmarks.json``.

Every ratio is one of medians whose repeats took turns, so that a busy machine slows both sides
alike. *One read* of the data is ``numpy.vdot(x, x)``, the fastest way NumPy has of touching every
entry once. Needs a POSIX system; memory is read off /proc where there is one.
"""

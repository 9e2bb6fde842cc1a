r"""Every rule, attack and reading of Algorithm 2 as its definition: read this first.

Rules and attacks have the names and arguments of those in `robustmath` and `robustmath.attacks`,
which give the same answers fast, on any input; the rest are the signs that the definitions use.
These lines take arrays as they are: they check nothing, and hostile entries spread. Numbers in
parentheses are the paper's equations.

Symbols
-------
n : workers; the rows g_1, ..., g_n of `vectors`, an array (n, d), are what they send
f : Byzantine workers among them, who may send anything
m : good workers, m = n - f; for Multi-KRUM the rows it averages
s : copies of each worker in Algorithm 2, which is also how many vectors go into one average
T : outputs of Algorithm 2, at most n; for RFA its steps
mu : the mean of all vectors, or of the good ones

Exact numbers go through the same lines, in arrays of objects:

>>> sent = exact([["1/3"], ["1/2"], [9]])
>>> trimmed_mean(sent, 1), mean(sent)
(array([Fraction(1, 2)], dtype=object), array([Fraction(59, 18)], dtype=object))

Decimals do, too, to as many digits as their context has:

>>> from decimal import localcontext
>>> with localcontext(prec=40):
...     norm(decimals([1, 1]))
Decimal('1.414213562373095048801688724209698078570')

Square roots of Fractions have to be rational, and eigenvectors are floats.

``python -m robustmath.textbook krum`` prints a definition, and the definitions it rests on.
"""

from robustmath.textbook import attacks, literature, notation, section_2, section_3
from robustmath.textbook.attacks import *
from robustmath.textbook.literature import *
from robustmath.textbook.notation import *
from robustmath.textbook.section_2 import *
from robustmath.textbook.section_3 import *

__all__: list[str] = []
__all__ += notation.__all__
__all__ += section_2.__all__
__all__ += section_3.__all__
__all__ += literature.__all__
__all__ += attacks.__all__

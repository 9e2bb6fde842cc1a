"""How large text is in a picture, to those who sit in the last row."""

from matplotlib.figure import Figure
from matplotlib.text import Text

PIXELS, PIXELS_AN_INCH = 1200, 96
EXPONENT = 0.7
"""Times the size of the text around it."""


def small_texts(figure: Figure, least: float = 12.0) -> dict[str, float]:
    """Return the texts of less points than `least` where the picture is 1,200 pixels wide."""
    figure.draw_without_rendering()  # ticks have no labels before
    hidden = {
        text
        for ax in figure.axes
        if not ax.axison
        for axis in (ax.xaxis, ax.yaxis)
        for text in axis.findobj(Text)
    }
    scale = PIXELS / PIXELS_AN_INCH / figure.get_figwidth()
    sizes = {
        text.get_text(): text.get_fontsize() * scale * (EXPONENT if "^" in text.get_text() else 1)
        for text in set(figure.findobj(Text)) - hidden
        if text.get_visible() and text.get_text().strip()
    }
    assert len(sizes) > 3
    return {text: size for text, size in sizes.items() if size < least}

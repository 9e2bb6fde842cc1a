"""Draw the pictures of all demos: `python demos/make_pictures.py [NAME ...] [--out DIR]`.

Without names it draws those of all demos. A picture is a function of the demo and its seed 0.
With `--figures DIR` it takes the figures that `robustmath reproduce --out DIR` left there instead.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import runpy
import sys
import time
from pathlib import Path
from unittest import mock

from PIL import Image

from robustmath.cli.demo import demos

HERE = Path(__file__).resolve().parent
COLORS = 64
"""In a picture: enough for text and lines, and a third of the bytes."""


def draw(name: str, folder: Path) -> Path:
    """Run a demo and return the picture that it leaves in the folder."""
    demo, path = HERE / f"{name}.py", folder / f"{name}.png"
    with (
        mock.patch.object(sys, "argv", [str(demo), "--no-show", "--save", str(path)]),
        contextlib.redirect_stdout(io.StringIO()),
    ):
        runpy.run_path(str(demo), run_name="__main__")
    return shrink(path, path)


def shrink(path: Path, out: Path) -> Path:
    """Write a picture with few colours to `out`, and return it."""
    out.write_bytes(few_colors(path))
    return out


def few_colors(picture: Path | io.BytesIO, width: int = 0, colors: int = COLORS) -> bytes:
    """Return a picture as PNG with few colours, of another width if one is given."""
    content = io.BytesIO()
    with Image.open(picture) as opened:
        small = opened.convert("RGB")
    if width:
        size = (width, small.height * width // small.width)
        small = small.resize(size, Image.Resampling.LANCZOS)
    small.quantize(colors, dither=Image.Dither.NONE).save(content, "PNG", optimize=True)
    return content.getvalue()


def main() -> None:
    """Draw what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(demos())}")
    parser.add_argument("--out", type=Path, default=HERE / "pictures", metavar="DIR")
    parser.add_argument("--figures", type=Path, metavar="DIR", help="shrink those found there")
    chosen = parser.parse_args()
    if unknown := sorted(set(chosen.names) - set(demos())):
        parser.error(f"there is no demo {', '.join(unknown)}; there are {', '.join(demos())}")
    chosen.out.mkdir(parents=True, exist_ok=True)
    if chosen.figures:
        for figure in sorted(chosen.figures.glob("*.png")):
            print(shrink(figure, chosen.out / figure.name))
        return
    for name in chosen.names or demos():
        start = time.perf_counter()
        path = draw(name, chosen.out)
        print(
            f"{path}  {path.stat().st_size / 1000:.0f} kB  {time.perf_counter() - start:.1f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()

"""Demos are programs to run, which ``pytest .`` leaves alone; tests/test_demos.py runs them."""

collect_ignore_glob = ["*.py"]

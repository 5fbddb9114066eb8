# SPDX-License-Identifier: Apache-2.0

"""The language of control tests: a checked subset of CEL, the Common Expression Language.

In:  the text of an expression, the struct of a row, parameter values.
Out: a checked expression, and two independent ways to ask it of a row: ``interpreter`` (Google's evaluator, one row at
     a time) and ``sql`` (DuckDB, whole populations). They must agree: ``tests/cel/test_cel_engines_agree.py``.
It must never guess: what is not in the subset is refused with line, column and a hint, and a field that may be missing
is not read without a guard.
"""

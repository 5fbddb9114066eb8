# SPDX-License-Identifier: Apache-2.0

"""Test every item of every population, and conclude.

In:  frozen populations (Parquet), control tests, a framework's catalogue and mapping.
Out: result vectors (one small code per item and test) and an ``Evaluation``.
``engine`` judges whole populations in SQL; ``oracle`` judges one item by Google's CEL evaluator; they must agree.
It must never fetch anything, and what it cannot know is never a pass.
"""

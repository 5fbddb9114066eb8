# SPDX-License-Identifier: Apache-2.0

"""Link folded records into access trails and populations, and freeze those into segments.

In:  folded records and the completeness boxes of their collections.
Out: the rows that control tests are asked about, the trails people read, Parquet files that never change.
A link always states its basis; two candidates are never settled by luck, and what is unknown stays unknown.
"""

# SPDX-License-Identifier: Apache-2.0

"""Link a whole period as set operations: the same rows as ``app.trails.linking``, for millions of sessions.

In:  observations as Arrow batches; the completeness boxes; a period.
Out: the frozen segments of every population, byte for byte those that the pure linker's rows would give.

The pure linker says what is right, one record at a time; the tests compare the bytes of both. Here everything that
grows with the number of sessions is a join in DuckDB, and everything that grows with the inventory (who is who, which
target is meant) is asked of the pure linker's own indexes, once per distinct name. DuckDB says what belongs to which
row; Arrow lays it there.
"""

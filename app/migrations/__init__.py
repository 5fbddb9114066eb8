# SPDX-License-Identifier: Apache-2.0

"""The history of the schema, one small Alembic revision a change; a released revision is never edited."""

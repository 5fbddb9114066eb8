# SPDX-License-Identifier: Apache-2.0

"""PostgreSQL: jsonlog with pgaudit."""

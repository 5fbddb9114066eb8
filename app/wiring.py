# SPDX-License-Identifier: Apache-2.0

"""The one place that knows which class stands behind which interface."""

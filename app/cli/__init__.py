# SPDX-License-Identifier: Apache-2.0

"""The ``proofroom`` command: one module per group of commands. They print and call services, and decide nothing."""

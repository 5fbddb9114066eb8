# SPDX-License-Identifier: Apache-2.0

"""The ``proofroom`` command: one module per group of commands. Commands print and call services; they decide nothing."""

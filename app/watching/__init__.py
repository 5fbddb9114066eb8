# SPDX-License-Identifier: Apache-2.0

"""Keep periods evaluated while records come in, and write down what moved: statuses, outcomes, gaps."""

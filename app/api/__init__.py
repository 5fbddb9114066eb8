# SPDX-License-Identifier: Apache-2.0

"""The REST interface, ``/api/v1``: one router per noun. Routers call one service method each and decide nothing."""

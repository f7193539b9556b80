"""float32 numbers as their bits and back, within compiled code."""

from __future__ import annotations

from typing import Any

import alos2.raster.jit  # noqa: F401  before numba: it says where compiled code is kept

# isort: split
from llvmlite import ir
from numba import types
from numba.extending import intrinsic


def _as_bits(typingctx: Any, number: Any) -> Any:  # noqa: ARG001  numba's signature
    def code(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.IntType(32))

    return types.int32(types.float32), code


def _as_float(typingctx: Any, bits: Any) -> Any:  # noqa: ARG001
    def code(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.FloatType())

    return types.float32(types.int32), code


bits_of: Any = intrinsic(_as_bits)
"""Bits of a float32, int32."""
float_of: Any = intrinsic(_as_float)
"""The float32 of these bits (int32)."""

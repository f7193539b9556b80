"""A complex sample taken apart, within compiled code.

A sample is one number, as it lies in a file: ``uint64`` is I and Q as big-endian float32 (CEOS),
``int64`` the same in the machine's order, ``uint32`` I and Q as int16 (GeoTIFF). So one load brings
both, and one comparison tells whether both are zero (no data).
"""

from __future__ import annotations

from typing import Any

import alos2.raster.jit  # noqa: F401  before numba: it says where compiled code is kept

# isort: split
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

_I16, _I32, _FLOAT = ir.IntType(16), ir.IntType(32), ir.FloatType()


def _of_halves(builder: Any, number: Any, upper: bool) -> Any:
    shift = ir.Constant(number.type, 32)
    half = builder.lshr(number, shift) if upper else number
    return builder.bitcast(builder.trunc(half, _I32), _FLOAT)


def _part(sample: Any, upper: bool) -> Any:
    """Signature and code that take one of the two parts out of a sample."""

    def of_big_endian(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        return _of_halves(builder, builder.bswap(arguments[0]), upper)

    def of_native(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        return _of_halves(builder, arguments[0], upper)

    def of_integers(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        shift = ir.Constant(arguments[0].type, 16)
        half = builder.lshr(arguments[0], shift) if upper else arguments[0]
        return builder.sitofp(builder.trunc(half, _I16), _FLOAT)

    ways = {types.uint64: of_big_endian, types.int64: of_native, types.uint32: of_integers}
    return types.float32(sample), ways[sample]


def _lower(typingctx: Any, sample: Any) -> Any:  # noqa: ARG001  numba's signature
    return _part(sample, upper=False)


def _upper(typingctx: Any, sample: Any) -> Any:  # noqa: ARG001
    return _part(sample, upper=True)


one_part: Any = intrinsic(_lower)
"""I or Q of a sample, float32 (which of them does not matter to the power)."""
other_part: Any = intrinsic(_upper)
"""Q or I of a sample, float32."""


def _as_bits(typingctx: Any, number: Any) -> Any:  # noqa: ARG001
    def code(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], _I32)

    return types.uint32(types.float32), code


bits_of: Any = intrinsic(_as_bits)
"""Bits of a float32."""

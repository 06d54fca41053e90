"""Logarithm, exponential and angles, for compiled loops.

How a mathematics library rounds the last bit differs from one system to the next. Here these functions are made from
sums, products, quotients, square roots and the bits of a double alone, each of them exactly rounded by IEEE 754, so
that a second is the same bits on every machine. None has a branch, so that a loop over a row of numbers does several
at a time. Errors stay below 1e-14 (of the value; of angles, in radians); what is no number gives no number.

Arguments are reduced as usual (Cody and Waite 1980, Software Manual for the Elementary Functions): powers of two are
taken out, quotients of sides are folded at 22.5 degrees. What is left is a polynomial through the function's values at
the Chebyshev nodes of the interval that is left (``tests/unit/test_elementary.py`` works its terms out anew).
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from processing.compiled import compiled

LOG_TERMS: Final = (
    0.6666666666666208, 0.40000000011206505, 0.2857142413832416, 0.22222862280108716, 0.18140193802865992,
    0.16621817152858928,
)  # fmt: skip
"""Of (log((1 + s) / (1 - s)) - 2 s) / s**3, in s**2, for arguments of the logarithm from 1 / sqrt(2) to sqrt(2)."""

EXP_TERMS: Final = (
    0.5, 0.16666666666648303, 0.041666666666651364, 0.008333333353717156, 0.0013888888905871347,
    0.0001984120875699232, 2.4801536409064087e-05, 2.7625102005388108e-06, 2.761379555451986e-07,
)  # fmt: skip
"""Of (exp(r) - 1 - r) / r**2, in r, for r up to log(2) / 2 either way."""

ARCTAN_TERMS: Final = (
    -0.3333333333333093, 0.19999999997724888, -0.14285713930378566, 0.11111089649211055, -0.09090255952690657,
    0.07681045202742948, -0.0655090730756309, 0.05168834935919362, -0.02723288406057488,
)  # fmt: skip
"""Of (arctan(t) - t) / t**3, in t**2, for t up to tan(pi / 8)."""

_L0, _L1, _L2, _L3, _L4, _L5 = LOG_TERMS
_E0, _E1, _E2, _E3, _E4, _E5, _E6, _E7, _E8 = EXP_TERMS
_A0, _A1, _A2, _A3, _A4, _A5, _A6, _A7, _A8 = ARCTAN_TERMS
_LOG_2: Final = (2977044472 / 2**32, -4.2009150726810846e-11)
"""The logarithm of 2 in two parts, of which the first, times a power of two's exponent, is exact."""
_HIGH, _LOW = _LOG_2
_PER_LOG_2: Final = 1.0 / math.log(2.0)
_PER_LOG_10: Final = 1.0 / math.log(10.0)
_LEAST: Final = 2.0**-1022
_SQRT_2: Final = math.sqrt(2.0)
_FOLD: Final = math.tan(math.pi / 8.0)

# A double is a sign, 11 bits of exponent (plus 1023) and 52 of fraction. A whole number added to 2**52, or to half as
# much again, stands in the lowest bits of the sum.
_FRACTION: Final = np.int64(2**52 - 1)
_ONE: Final = np.int64(1023 << 52)
_EXPONENT: Final = np.int64(52)
_BIAS: Final = np.int64(1023)
_SHIFT: Final = 2.0**52
_SHIFT_BITS: Final = np.int64((1023 + 52) << 52)
_ROUND: Final = 1.5 * 2.0**52


@compiled
def _bits(x: float) -> np.int64:
    return np.float64(x).view(np.int64)


@compiled
def _double(bits: np.int64) -> float:
    return np.int64(bits).view(np.float64)


@compiled
def log(x: float) -> float:
    """Natural logarithm; numbers below the smallest normal one, 2**-1022, count as 0."""
    bits = _bits(x)
    power = _double((bits >> _EXPONENT) | _SHIFT_BITS) - (_SHIFT + 1023.0)
    part = _double((bits & _FRACTION) | _ONE)
    high = part > _SQRT_2
    part = 0.5 * part if high else part
    power = power + 1.0 if high else power
    s = (part - 1.0) / (part + 1.0)
    z = s * s
    tail = _L0 + z * (_L1 + z * (_L2 + z * (_L3 + z * (_L4 + z * _L5))))
    found = power * _HIGH + (2.0 * s + (s * z * tail + power * _LOW))
    found = found if x < np.inf else x
    found = -np.inf if x < _LEAST else found
    return np.nan if x < 0.0 else found


@compiled
def log2(x: float) -> float:
    """Logarithm to base 2, as `log`."""
    return log(x) * _PER_LOG_2


@compiled
def log10(x: float) -> float:
    """Logarithm to base 10, as `log`."""
    return log(x) * _PER_LOG_10


@compiled
def exp(x: float) -> float:
    """Exponential; 0 below -708 and infinite above 709, near the ends of what a double can hold."""
    held = -708.0 if x < -708.0 else x
    held = 709.0 if held > 709.0 else held
    shifted = held * _PER_LOG_2 + _ROUND
    power = shifted - _ROUND
    r = (held - power * _HIGH) - power * _LOW
    tail = _E4 + r * (_E5 + r * (_E6 + r * (_E7 + r * _E8)))
    tail = _E0 + r * (_E1 + r * (_E2 + r * (_E3 + r * tail)))
    scale = _double((_bits(shifted) + _BIAS) << _EXPONENT)
    found = scale * (1.0 + (r + r * r * tail))
    found = 0.0 if x < -708.0 else found
    return np.inf if x > 709.0 else found


@compiled
def arctan2(y: float, x: float) -> float:
    """Angle of the point (x, y) from the x axis, from -pi to pi; 0 where both are 0."""
    a, b = abs(y), abs(x)
    steep = a > b
    low, high = (b if steep else a), (a if steep else b)
    fold = low > _FOLD * high
    above, below = (low - high if fold else low), (low + high if fold else high)
    below = 1.0 if below == 0.0 else below
    t = above / below
    z = t * t
    tail = _A4 + z * (_A5 + z * (_A6 + z * (_A7 + z * _A8)))
    tail = _A0 + z * (_A1 + z * (_A2 + z * (_A3 + z * tail)))
    found = t + t * z * tail
    found = found + 0.25 * math.pi if fold else found
    found = 0.5 * math.pi - found if steep else found
    found = math.pi - found if x < 0.0 else found
    return -found if y < 0.0 else found


@compiled
def arccos(x: float) -> float:
    """Angle whose cosine is x, from 0 to pi; no number beyond -1 and 1."""
    return arctan2(math.sqrt((1.0 - x) * (1.0 + x)), x)

"""Numbers as people read them. The minus is ASCII, groups of three are set apart by a narrow space.

A value with an uncertainty is rounded to two significant digits of it: `4.21 ± 0.12`. One without shows
four significant digits, and more where a difference would stay hidden. Nothing invents digits that the
number does not have.
"""

import math
from decimal import ROUND_HALF_EVEN, Context, Decimal

GROUP = "\N{NARROW NO-BREAK SPACE}"
SIGMA = "\N{GREEK SMALL LETTER SIGMA}"
_EXACT = Context(prec=800, rounding=ROUND_HALF_EVEN)
_MOST_DIGITS = 17

Value = float | int | str | bool


def show(value: Value, uncertainty: float | None = None) -> str:
    """One value, alone: a number, a text (returned as it is) or a truth value.

    `uncertainty` is one standard deviation; None or 0 for none.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "inf" if value > 0 else "-inf"
    if uncertainty and math.isfinite(uncertainty):
        return _measured(value, uncertainty)
    return _fixed(exact(value), _decimals(value))


def show_pair(
    before: Value, after: Value, uncertainties: tuple[float | None, float | None] = (None, None)
) -> tuple[str, str]:
    """Two values of one metric, with so many decimals that their difference shows."""
    if isinstance(before, str) or isinstance(after, str) or any(uncertainties) or not _finite(before, after):
        return show(before, uncertainties[0]), show(after, uncertainties[1])
    first, second = exact(before), exact(after)
    resolution = _EXACT.subtract(second, first)
    decimals = _decimals(before, resolution), _decimals(after, resolution)
    if abs(exponent(first) - exponent(second)) <= 1:
        decimals = max(decimals), max(decimals)
    return _fixed(first, decimals[0]), _fixed(second, decimals[1])


def signed(number: float, uncertainty: float | None = None) -> str:
    """A difference, with its sign: to two digits of its uncertainty, else to three of its own: `+0.77`."""
    if not number or not math.isfinite(number):
        return show(number)
    size = abs(exact(number))
    if uncertainty and math.isfinite(uncertainty):
        decimals = 1 - exponent(Decimal(f"{uncertainty:.1e}"))
        if -1 <= decimals + exponent(size) <= _MOST_DIGITS:
            return _sign(number) + _fixed(size, decimals)
    return _sign(number) + _fixed(size, _natural(round_to(number, 3)))


def percent(fraction: float) -> str:
    """A relative difference: `+18.3 %`, `-0.052 %`."""
    share = 100 * fraction
    if not math.isfinite(share):
        return f"{_sign(share)}inf %"
    digits = 3 if abs(share) >= 10 else 2
    size = abs(exact(round_to(share, digits)))
    return f"{_sign(share)}{_fixed(size, digits - 1 - exponent(size))} %" if share else "0 %"


def sigma(sigmas: float) -> str:
    """A difference in standard deviations: `+4.4` and the letter sigma."""
    size = abs(sigmas)
    if size < 0.05:
        return f"0 {SIGMA}" if size < 0.005 else f"{_sign(sigmas)}{size:.2f} {SIGMA}"
    return f"{_sign(sigmas)}{_fixed(exact(round(size, 1)), 1 if size < 99.95 else -1)} {SIGMA}"


def round_to(number: float, digits: int) -> float:
    """`number` rounded to so many significant digits."""
    rounded = float(f"{number:.{digits - 1}e}")
    return rounded if math.isfinite(rounded) else number


def _finite(*values: float | int | bool) -> bool:
    return all(
        not isinstance(value, bool) and (isinstance(value, int) or math.isfinite(value)) for value in values
    )


def exact(number: float | int) -> Decimal:
    """The number as it is written, not as its bits are: 1e-7, not 9.99...95e-8."""
    return Decimal(number) if isinstance(number, int) else Decimal(repr(number))


def _sign(number: float) -> str:
    return "-" if number < 0 else "+"


def exponent(number: Decimal) -> int:
    """The power of ten of the first digit of `number`; 0 for 0."""
    return number.adjusted() if number else 0


def _natural(number: float) -> int:
    """How many decimals the shortest writing of `number` has; negative for trailing zeros."""
    exponent = exact(number).normalize(_EXACT).as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


def _decimals(value: float | int, resolution: Decimal | None = None) -> int:
    """Decimals that show four digits of `value`, or two of `resolution`; no more than it has."""
    if isinstance(value, int):
        return 0
    wanted = 3 - exponent(exact(value))
    if resolution:
        wanted = max(wanted, 1 - exponent(resolution))
    return min(wanted, _natural(round(value, wanted) if wanted > 0 else value))


def _measured(value: float | int, uncertainty: float) -> str:
    number, rounded = exact(value), Decimal(f"{uncertainty:.1e}")
    decimals = 1 - exponent(rounded)
    size = exponent(max(abs(number), rounded))
    if size + decimals > _MOST_DIGITS:  # the uncertainty is below what a float of this size can show
        return f"{show(value)} \u00b1 {_fixed(rounded, decimals)}"
    shift = 0 if -4 <= size <= 5 else size
    pair = [scaled(one, decimals, shift) for one in (number, rounded)]
    if not shift:
        return f"{pair[0]} \u00b1 {pair[1]}"
    return f"({pair[0]} \u00b1 {pair[1]})e{size:+03d}"


def scaled(number: Decimal, decimals: int, shift: int) -> str:
    """`number` / 10^shift with `decimals` of `number` itself, groups set apart."""
    return _grouped(_EXACT.scaleb(number, -shift), decimals + shift)


def _fixed(number: Decimal, decimals: int) -> str:
    """`number` with so many decimals, in scientific notation where that would be long.

    Negative decimals mean that the last digits before the point say nothing.
    """
    size = exponent(number)
    if number and (size < -4 or size >= 15 or (size >= 7 and decimals < 0)):
        mantissa = _EXACT.scaleb(number, -size)
        return f"{_rounded(mantissa, min(max(decimals + size, 0), _MOST_DIGITS))}e{size:+03d}"
    return _grouped(number, max(decimals, 0))


def _rounded(number: Decimal, decimals: int) -> str:
    return f"{_EXACT.quantize(number, Decimal(1).scaleb(-decimals)):.{max(decimals, 0)}f}"


def _grouped(number: Decimal, decimals: int) -> str:
    whole, point, rest = _rounded(number, decimals).partition(".")
    digits = whole.removeprefix("-")
    sign = "-" if number < 0 and (digits + rest).strip("0") else ""
    return sign + (f"{int(digits):,}".replace(",", GROUP) if len(digits) > 4 else digits) + point + rest

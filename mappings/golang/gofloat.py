"""Floating-point numbers as Go's `strconv.FormatFloat` writes them."""

import math

MANTISSA_BITS = 52


def shortest(value: float) -> tuple[str, int]:
    """The fewest digits that read back as |value|, and where the decimal point stands in them.

    0.00123 is ("123", -2) and 1500 is ("15", 4); zero is ("0", 1). The value is finite.
    """
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = whole + fraction
    significant = digits.lstrip("0")
    if not significant:
        return "0", 1
    point = len(whole) + int(exponent or 0) - (len(digits) - len(significant))
    return significant.rstrip("0"), point


def special(value: float) -> str:
    """`NaN`, `+Inf`, `-Inf`, or "" for a finite number."""
    if math.isfinite(value):
        return ""
    return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"


def general(value: float) -> str:
    """`%g` with the fewest digits: an exponent below 1e-4 and from 1e6 on."""
    if -1e6 < value < 1e6 and value.is_integer():
        return repr(value)[:-2]
    if not math.isfinite(value):
        return special(value)
    digits, point = shortest(value)
    if not -4 < point <= 6:
        return _sign(value) + _scientific(digits, point)
    return _sign(value) + _plain(digits, point)


def json(value: float) -> str:
    """As `encoding/json` writes it: an exponent below 1e-6 and from 1e21 on. Finite."""
    digits, point = shortest(value)
    if digits == "0" or -6 < point <= 21:
        return _sign(value) + _plain(digits, point)
    text = _sign(value) + _scientific(digits, point)
    return text.replace("e-0", "e-") if point <= 0 else text


def _sign(value: float) -> str:
    return "-" if math.copysign(1, value) < 0 else ""


def _plain(digits: str, point: int) -> str:
    if point <= 0:
        return "0." + "0" * -point + digits
    if point >= len(digits):
        return digits + "0" * (point - len(digits))
    return digits[:point] + "." + digits[point:]


def _scientific(digits: str, point: int) -> str:
    fraction = "." + digits[1:] if len(digits) > 1 else ""
    return f"{digits[0]}{fraction}e{point - 1:+03d}"


def formatted(value: float, verb: str, precision: int) -> str:
    """`%e %E %f %g %G %b %x %X`; a precision of -1 asks for the fewest digits that read back."""
    if name := special(value):
        return name
    if verb == "b":
        return _sign(value) + _binary(abs(value))
    if verb in "xX":
        text = _sign(value) + _hexadecimal(abs(value), precision)
        return text.upper() if verb == "X" else text
    if precision < 0:
        text = general(value)
        return text.upper() if verb == "G" else text
    return f"%.{precision}{verb}" % value


def _binary(value: float) -> str:
    """Go's `%b`: a whole mantissa and a power of two."""
    if value < 2.0**-1022:
        return f"{int(value * 2.0**1000 * 2.0**74)}p-1074"
    fraction, exponent = math.frexp(value)
    return f"{int(fraction * 2**53)}p{exponent - 53:+d}"


def _hexadecimal(value: float, precision: int) -> str:
    if value == 0:
        return "0x0" + ("." + "0" * precision if precision > 0 else "") + "p+00"
    fraction, exponent = math.frexp(value)
    mantissa = int(fraction * 2**53)
    exponent -= 1
    if 0 <= precision < 13:
        dropped = MANTISSA_BITS - 4 * precision
        kept, rest = mantissa >> dropped, mantissa & ((1 << dropped) - 1)
        if rest * 2 + (kept & 1) > 1 << dropped:  # half goes to even
            kept += 1
        mantissa = kept << dropped
        if mantissa >> 53:
            mantissa >>= 1
            exponent += 1
    digits = f"{mantissa & ((1 << MANTISSA_BITS) - 1):013x}"
    digits = digits.rstrip("0") if precision < 0 else digits[:precision].ljust(precision, "0")
    return f"0x{mantissa >> MANTISSA_BITS}{'.' if digits else ''}{digits}p{exponent:+03d}"

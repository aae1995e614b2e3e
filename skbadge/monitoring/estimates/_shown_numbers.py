"""How estimates, shares and counts are printed."""


def brief(risk, show="{:.3g}".format, more=""):
    """An estimate with its interval."""
    return f"{show(risk.estimate)} ({show(risk.low)} to {show(risk.high)}{more})"


def percent(share, digits=1):
    """A share."""
    return f"{100 * share:.{digits}f} %"


def rounded(number, n_digits):
    """A number of rows, of which only the first digits are told."""
    number = int(number)
    return f"{round(number, min(n_digits - len(str(number)), 0)):,}"

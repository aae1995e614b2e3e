"""LiveAccuracy: how often the model was right about rows before it learned of them."""

_WIDTH, _HEIGHT, _MARGIN = 320, 90, 36


class LiveAccuracy:
    """How often the model was right about rows before it learned of them.

    The strategy asks for rows that the model finds hard: on the pool as a whole it is
    right more often.

    Parameters
    ----------
    window : int, default=50
        How many of the last answers a point of the curve is the mean of.
    """

    def __init__(self, window=50):
        self.window = window
        self._hits = {}
        self._trained_at = []
        self._round = None

    def add(self, id, hit, round):
        """Take in whether the model of a round was right about a row."""
        if round != self._round and self._hits:
            self._trained_at.append(len(self._hits))
        self._round = round
        self._hits[id] = bool(hit)

    def remove(self, id):
        """Forget a row, whose answer is taken back."""
        self._hits.pop(id, None)

    def curve(self):
        """The mean of the last answers, after each of them: a list of floats."""
        hits = list(self._hits.values())
        parts = (hits[max(0, i - self.window) : i] for i in range(1, len(hits) + 1))
        return [sum(part) / len(part) for part in parts]

    def to_text(self):
        """One line that says the last number; empty as long as there is none."""
        hits = list(self._hits.values())[-self.window :]
        if not hits:
            return ""
        return f"the model was right about {sum(hits)} of the last {len(hits)} answers"

    def to_svg(self):
        """A picture; empty as long as there is nothing to draw."""
        curve = self.curve()
        if len(curve) < 2:
            return ""
        step = (_WIDTH - _MARGIN - 2) / (len(curve) - 1)

        def x(i):
            return _MARGIN + i * step

        def y(value):
            return 6 + (1 - value) * (_HEIGHT - 12)

        points = " ".join(f"{x(i):.1f},{y(mean):.1f}" for i, mean in enumerate(curve))
        frame = "".join(
            f'<line x1="{_MARGIN}" x2="{_WIDTH}" y1="{y(at)}" y2="{y(at)}" '
            'stroke="currentColor" stroke-opacity="0.2"/>'
            f'<text x="{_MARGIN - 4}" y="{y(at) + 4}" font-size="10" '
            f'text-anchor="end" fill="currentColor">{at:.0%}</text>'
            for at in (0, 0.5, 1)
        )
        trained = "".join(
            f'<line x1="{x(i):.1f}" x2="{x(i):.1f}" y1="6" y2="{_HEIGHT - 6}" '
            'stroke="currentColor" stroke-opacity="0.3" stroke-dasharray="2 3"/>'
            for i in self._trained_at
            if i < len(curve)
        )
        return (
            f'<svg width="{_WIDTH}" height="{_HEIGHT}" role="img" '
            f'aria-label="{self.to_text()}">{frame}{trained}'
            f'<polyline points="{points}" fill="none" stroke="#1976d2" '
            'stroke-width="2"/></svg>'
        )

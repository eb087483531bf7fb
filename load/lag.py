"""How late the generator itself was: a histogram, and its order statistics."""

from __future__ import annotations

from array import array

_UPPER_MS = (0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)


class LagHistogram:
    """Sent minus intended of arrivals. Keeps every value: eight bytes each."""

    def __init__(self) -> None:
        self._values_ns = array("q")

    def add(self, lag_ns: int) -> None:
        self._values_ns.append(lag_ns)

    def summary(self) -> dict[str, object]:
        """In milliseconds; `buckets` as [upper bound, count], the last one without a bound.

        >>> lag = LagHistogram()
        >>> for ms in (1, 2, 30): lag.add(ms * 1_000_000)
        >>> lag.summary()["max_ms"], lag.summary()["p50_ms"]
        (30.0, 2.0)
        """
        values = sorted(self._values_ns)
        if not values:
            return {"count": 0}
        return {
            "count": len(values),
            "p50_ms": self._quantile(values, 0.5),
            "p99_ms": self._quantile(values, 0.99),
            "p999_ms": self._quantile(values, 0.999),
            "max_ms": round(values[-1] / 1e6, 3),
            "buckets": self._buckets(values),
        }

    @staticmethod
    def _quantile(values: list[int], q: float) -> float:
        return round(values[min(len(values) - 1, int(q * len(values)))] / 1e6, 3)

    @staticmethod
    def _buckets(values: list[int]) -> list[list[float | int | None]]:
        counts = [0] * (len(_UPPER_MS) + 1)
        for value in values:
            ms = value / 1e6
            counts[next((i for i, upper in enumerate(_UPPER_MS) if ms <= upper), -1)] += 1
        return [[upper, n] for upper, n in zip((*_UPPER_MS, None), counts, strict=True)]

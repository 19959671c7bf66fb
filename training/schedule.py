"""How far a training run is, by steps or by the clock, and the learning rate that follows from
it."""

import math
import time
from dataclasses import dataclass, field

__all__ = ["Budget"]


@dataclass
class Budget:
    """A run's length: `steps` where given (then a run repeats exactly), else `minutes` of
    training, pauses not counted."""

    minutes: float
    steps: int | None = None
    spent: float = 0.0
    """Seconds trained in earlier runs that this one resumes."""
    started: float = field(default_factory=time.monotonic)

    def restart(self) -> None:
        """Starts the clock now; what was spent in earlier runs stays spent."""
        self.started = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds trained so far, resumed runs included."""
        return self.spent + time.monotonic() - self.started

    def progress(self, step: int) -> float:
        """Returns the share of the run that is done, 1 or more when it is over."""
        return step / self.steps if self.steps else self.seconds / (60 * self.minutes)

    def learning_rate(self, step: int, *, peak: float, warm_steps: int) -> float:
        """Returns a rate that rises linearly over the first steps and falls along a cosine to a
        fiftieth of the peak."""
        fall = 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, self.progress(step))))
        return peak * min(1.0, (step + 1) / warm_steps) * fall

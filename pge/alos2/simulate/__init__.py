"""Format-true synthetic products whose truth is known."""

from alos2.simulate.run import simulate
from alos2.simulate.spec import SimulationResult, SimulationSpec

__all__ = ["SimulationResult", "SimulationSpec", "simulate"]

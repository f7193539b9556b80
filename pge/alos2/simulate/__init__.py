"""Format-true synthetic products whose truth is known."""

from alos2.simulate.changes import Change
from alos2.simulate.run import simulate
from alos2.simulate.spec import SimulationResult, SimulationSpec
from alos2.simulate.stack import StackResult, StackSpec, simulate_stack
from alos2.simulate.terrain import Terrain

__all__ = [
    "Change",
    "SimulationResult",
    "SimulationSpec",
    "StackResult",
    "StackSpec",
    "Terrain",
    "simulate",
    "simulate_stack",
]

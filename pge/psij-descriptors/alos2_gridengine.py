"""Names the Grid Engine executor of alos2-ingest to PSI/J.

PSI/J runs the modules of every folder ``psij-descriptors`` on ``sys.path``, and loads the class
from a file under the same root; neither folder nor module may be imported by name.
"""

from packaging.version import Version
from psij.descriptor import Descriptor

__PSI_J_EXECUTORS__ = [
    Descriptor(
        name="gridengine",
        nice_name="Grid Engine",
        aliases=["sge"],
        version=Version("0.0.1"),
        cls="alos2.cluster.gridengine.GridEngineJobExecutor",
    )
]

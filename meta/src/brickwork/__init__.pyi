from . import cnn as cnn
from . import compat as compat
from . import image as image
from . import model_zoo as model_zoo
from . import ops as ops
from . import parallel as parallel
from . import runner as runner
from . import utils as utils
from ._versions import versions as versions

__version__: str
__all__: list[str]

import far.near.there
import tools
from app.version import VERSION

print(tools.NAME, VERSION, far.near.there.WORD)

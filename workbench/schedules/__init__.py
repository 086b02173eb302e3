"""Schedule templates: from a compute definition to a program of blocks and threads.

What lives here
    compute        compute definitions: what an operator means, apart from any schedule
    choose         which template a definition gets
    spaces         what else the template could be told, for the tuner
    injective      one thread per element
    reduce_serial  one thread per result, which reduces on its own
    row_block      reductions along rows and what is made of them: threads of a row meet by shuffles
    rows           definitions over the same rows, and the passes they take
    matmul_simt    tiled matrix product without tensor cores
    matmul_cpu     tiled matrix product, threads as the lanes of vectors
    matmul_tiles   how it is cut into blocks and register tiles
    matmul_block   what one block of it does
    matmul_words   matrix product of bytes: words of four, packed panels, dot4 in every lane
    attention_cpu  two matrix products with rows between them
    attention_block  what one block of them does
    matvec_cpu     a few rows times a matrix, which streams by once
    window         what a sliding window over blocked channels is
    window_tiles   which register tiles it can have, and what each takes
    window_tile    one register tile: its terms, and where its sums go
    window_cpu     convolution and pooling, channels as the lanes of vectors
    recurrent      all steps of a recurrent layer as one kernel
    lanes          loops and tiles of the templates for a CPU
    axes           how output elements are dealt to blocks and threads
    combine        reductions step by step
    extents        what may be asked of extents that vary from call to call

May import: base, mapping, ir, tune; runtime for the lanes and cores of this machine.
Start reading: injective, then reduce_serial.
Add one more: a frozen dataclass whose fields are its knobs and whose `build(compute)` gives a
Module at level `script` that stores each element of the output exactly once, single elements
only; then a line in choose. Fusion comes for free.
"""

from workbench.schedules.choose import Template, choose, schedule
from workbench.schedules.spaces import space

__all__ = ["Template", "choose", "schedule", "space"]

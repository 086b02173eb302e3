"""Flow graphs: from a model to fused kernels.

What lives here
    flow       FlowGraph: bind dims, optimize, compile
    tensor     the edges
    operator   the nodes: a name, tensors, a compute definition
    graph      a graph as data
    build      puts a graph together, computing what is known already
    evaluate   what a definition gives, by numpy
    rewrite    rewrites of a whole graph, a list of named rules
    moves      rewrites of what changes nothing
    fold       scales after a product go into its weights
    layout     definitions over blocks of channels
    groups     convolutions in groups over such blocks
    blocking   the rewrite into blocks of channels
    derived    arrays made of constants, made once while those live
    integers   products of quantized numbers as products of integers, zero points after the sum
    factor     what such a product and a dequantizing operator are, read off definitions
    words      matrix products of bytes, four terms at a time
    quads      convolutions of bytes, four channels at a time
    pack       weights of matrix products in panels
    slabs      memory for packed weights, in large pieces
    partition  which operators share a kernel, and why others do not
    gathered   groups while they are gathered
    epilogue   what follows an anchor and joins its group
    rowwise    what works along the same rows and joins a reduction
    prologue   what precedes a group and joins it
    attention  two products with rows between them in one group
    siblings   groups that read the same in one launch
    group      operators that share a kernel, as data
    views      tensors that lie in others: reshapes, the parts of a concat
    rows       operators over the same rows: softmax, normalisations
    paths      ways through a graph: of an element, of values from operator to operator
    cost       what it costs to compute something again
    fuse       a scheduled program takes in the definitions around it
    shared     a group's definitions with common variables, and the program made of them
    beside     programs side by side in one grid
    twins      groups that do the same are scheduled once
    schedule   from a group to one program
    memory     where the tensors between kernels lie
    family     kernels that serve several shapes
    outline    programs as text, cut at their numbers
    generic    programs that differ in numbers alone as one, with parameters
    tuned      schedules found by trying, for a graph's operators
    programs   the programs of a graph, no two alike
    compile    from groups to kernels; CompiledGraph runs them
    names      names of tensors in a compiled graph, none twice
    sequence   the launches of a call as one piece of machine code, shared by host threads
    save       a compiled graph in one file
    workspace  the memory of a call, and the steps that run in it
    dims       extents that a model leaves open
    segment    a graph that is known piece by piece
    stage      such a piece, ready to run
    dynamic    compiled when it is called
    told       what a call tells an import: its shapes, and what is seen at cuts
    recording  the same, traced where it may be other numbers
    ways       pieces for what a call tells, by ways that earlier ones have gone
    replay     the way from numbers to launches, recorded and gone again
    replayed   what such a graph tells of itself
    symbolic   numbers that remember how they came about
    ops        what operators mean
    onnx       from ONNX models

May import: base … schedules.
Start reading: flow, then partition and fuse.
Add one more: an operator is a definition in ops and a row in onnx; a rewrite is a line in
rewrite.RULES.
"""

from workbench.graph.compile import CompiledGraph
from workbench.graph.flow import FlowGraph
from workbench.graph.onnx.load import from_onnx, load_graph
from workbench.graph.operator import Operator
from workbench.graph.partition import Group, Unfused
from workbench.graph.tensor import Tensor

__all__ = [
    "CompiledGraph",
    "FlowGraph",
    "Group",
    "Operator",
    "Tensor",
    "Unfused",
    "from_onnx",
    "load_graph",
]

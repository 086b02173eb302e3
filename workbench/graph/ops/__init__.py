"""What operators mean: compute definitions of a few lines each, with no schedule.

What lives here
    define       `grid` and `reduce`: how a definition is written
    elementwise  unary, binary, … with broadcasting
    shape        reshape, transpose, slice, concat, expand, gather, pad
    index        gathering and scattering, triangles, running sums
    host         what numpy does between kernels: sorting, scattering
    reduce       sums, means, extremes and their positions, softmax
    matmul       matrix products
    conv         convolution and pooling
    transposed   transposed convolution, windows added up to a picture
    sample       reading between elements, where data say
    einsum       sums of products
    fourier      Fourier transforms
    resize       another size, axis by axis
    deform       convolution with a bent window
    regions      pooling of regions
    normalize    batch normalisation
    quantize     numbers as small integers and back
    trees        ensembles of decision trees
    scores       scores of classes, and their labels

May import: base, ir, graph.build, graph.tensor.
Start reading: define, then elementwise.
Add one more: a function from a Builder and tensors to a tensor, and a row in graph.onnx.registry
that calls it. Give an inverse map wherever the operator is one-to-one in an input: that is all
that fusion needs to know.
"""

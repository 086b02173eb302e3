"""From ONNX models to flow graphs; the only room that imports onnx.

What lives here
    model             a file read and checked: names, order, dims, unsupported operators
    load              from_onnx and load_graph, the ways in
    kept              the bytes of a model, for who saves what is made of it
    importer          a model and extents to a graph of compute definitions
    registry          which operators are known
    row               what the registry is made of
    rows_elementwise  rows: element by element
    rows_constant     rows: constants, shapes
    rows_shape        rows: moving elements
    rows_control      rows: If, Loop, Scan
    rows_index        rows: looking at where an element stands
    rows_data         rows: outputs whose shapes depend on data
    rows_sequence     rows: lists of tensors
    rows_rnn          rows: LSTM, GRU, RNN
    rows_quant        rows: quantized numbers and their products
    rows_qlinear      rows: quantized operators of onnxruntime
    rows_ml           rows: classical machine learning
    rows_trees        rows: ensembles of decision trees
    rows_svm          rows: support vector machines
    rows_text         rows: strings
    outline           a model before its dims have values
    lengths           how long vectors are that hold shapes
    frames            where an import stands: graphs inside graphs
    rows_nn           rows: products, reductions
    rows_window       rows: convolution, pooling
    rows_image        rows: sampling, sizes, regions
    rows_normalize    rows: normalisations
    rows_signal       rows: Fourier transforms
    rows_random       rows: what is drawn by chance
    rows_training     rows: steps of training
    rows_legacy       rows: forms of the first opsets
    functions         operators defined by other operators, expanded
    node              one node as the rows see it
    backend           the compiler as onnx's test runner and others call it
    types             number types, and arrays from ONNX tensors

May import: base, ir, graph.
Start reading: importer, then any of the rows.
Add one more: a row in the fitting rows module that calls a function of graph.ops. An operator
that ONNX defines by a function body needs no row.
"""

"""Figures against their goals, measured here and now, peers side by side where installed.

What lives here
    entries         ENTRIES, the one visible list; running them
    figure          a figure, its goal, and how both are written
    peers           compare(…): several ways to do one thing, timed in turns
    turns           samples of several calls each, in turns, after pauses
    record          figures as JSON lines, with machine, versions, date and commit
    fresh           code in a new process; a cache of compiled kernels that begins empty
    samples         the six kernels of the notebooks: sizes, arrays, references
    new_kernel      C1: a new elementwise kernel, definition to result, beside numba
    fused           C2, C3: a chain of operators, softmax, layer normalisation, beside onnxruntime
    product_on_cpu  C4: products of matrices on one CPU thread, beside numpy and onnxruntime
    gpu_on_cpu      C5: the GPU matmul as it is on one CPU thread, beside numpy and the interpreter
    second_process  C8: a kernel that another process has compiled
    new_shape       a new shape for a model
    import_time     C10: `import workbench`, and what it loads
    mapping_edit    C11: from a mapping's text to its picture
    mapping_paint   C11: from a keystroke to the picture, in a browser
    program_paint   a kernel's Program screen until it is painted, in Python and a browser
    browser         the browser of the last two, and a page with our drawings
    nvrtc_time      CUDA C++ to a cubin
    targets         the six kernels on every target: errors, registers, spills, shared memory
    gpu             the six kernels on a GPU, beside CuPy and torch
    model           an ONNX model before and after fusion, beside onnxruntime
    models          C9: many models, each in processes of its own, beside onnxruntime
    zoo             those models, where they are installed, and what to call them with

The folder results keeps what `workbench bench --save` wrote: one file per entry, one line per
figure.

May import: base … view; inside functions cupy, numba, onnxruntime, torch, threadpoolctl and
playwright.
Start reading: entries, then new_kernel.
Add one more: a module with a function from Settings to figures, and its row in entries.ENTRIES.
"""

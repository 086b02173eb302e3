"""Live screens in a notebook; the only room that imports Jupyter.

What lives here
    formatters  how IPython shows our objects: the static twins of workbench.view
    explore     explore(x): the live widget of an object; tune_live(…): one that tunes
    explorer    what all widgets share: selection, questions and answers, their text form
    link        link(a, b): screens with one selection
    links       a screen's state as a short text, and back
    export      export_html(x, path): a screen as one file that needs nothing else
    magics      %load_ext workbench: %%kernel, %%cuda, %time_kernel, %explain
    script_cell  the functions of a cell as scripts
    cuda_cell   a cell of CUDA, its errors at their place
    timed       a call timed with a bar
    work        what a screen asks for and does not wait for, in a thread
    progress    a bar for long work, which an interrupt ends without loss
    program     ProgramExplorer: texts side by side, lines of one origin light up together
    passes      PassesExplorer: one pass at a time, word by word, with other options
    graph       GraphExplorer: operators and kernels, why a tensor is stored
    tune        TuneExplorer: trials while a search runs and afterwards
    timing      TimingExplorer: samples, roofline, peers side by side
    mapping     MappingExplorer: compose a mapping, select a worker, step through time
    messages    what JupyterLab's extension and the kernel say to each other
    panel       the kernel's side of it: lists our objects, answers with their views
    models      a model in a file, read in a thread, step by step

The folder static holds what extension/src/widgets builds; `npm run build` in extension writes it.

May import: everything below, anywidget, traitlets, IPython. This file imports nothing, so that
the formatters can be registered before any widget is asked for.
Start reading: formatters, then mapping.
Add one more: a view in workbench.view, a drawing in extension/src/viz and its entry in
extension/src/widgets, a class here that names the built file, its rows in explore and formatters.
"""

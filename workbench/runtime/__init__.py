"""The only room that touches a driver, a compiler, a clock or the environment.

What lives here
    devices     what this machine can do, and what to install for more
    cache       results of compilers, kept on disk by their content
    arguments   the arguments of a call against a kernel's parameters, mistakes in words
    nvrtc       CUDA C++ to a cubin, its registers, spills and shared memory
    jit         LLVM IR to machine code of this processor
    following   launches in a row, their blocks shared with host threads that stay awake a while
    half        conversions of f16 for processors without them
    cpu_launch  compiled kernels on the host, blocks shared out to threads
    sass        cubins disassembled
    gpu_launch  cubins on a GPU through CuPy
    memory      whose arrays a target works on
    timing      how long a call takes: warm, interleaved, median with spread, conditions said

May import: base, mapping, ir; optional heavy packages inside functions.
Start reading: devices.
Add one more: a fact about machines is a function in devices that gives a value or a Missing.
"""

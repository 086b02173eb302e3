"""The intermediate representation: kernels as immutable trees.

What lives here
    types      number types with lanes, named extents, tensor types
    node       what all nodes share (a span)
    expr       expressions, a closed union
    stmt       statements, a closed union
    module     functions, tables, launches, levels
    intrinsic  what a call may name, one row each
    compute    compute definitions of operators (no schedule)
    target     what code is made for
    build      constructors that find types
    traverse   walk, rewrite, substitute: one engine, no recursion

May import: base, mapping.
Start reading: expr, then stmt.
Add one more: a node is a frozen dataclass in expr or stmt and a member of its union; the type
checker then names every `match` that must learn it. An intrinsic is a row in intrinsic and one
rule in each of codegen.cuda, codegen.llvm and interp.
"""

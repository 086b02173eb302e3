"""The intermediate representation: kernels as immutable trees.

What lives here
    types      number types with lanes, named extents, tensor types
    node       what all nodes share (a span)
    expr       expressions, a closed union
    stmt       statements, a closed union
    module     functions, tables, launches, levels
    intrinsic  what a call may name, one row each
    target     what code is made for
    build      constructors that find types
    traverse   walk, rewrite, substitute, fold: one engine, no recursion
    alike      equality of structure, whatever the variables are called
    text       IR as readable text, and a number for each statement
    text_expr  expressions as text
    naming     one readable name per variable
    parse      the text form, read back: modules and functions
    lex        its tokens
    parse_type, parse_expr, parse_stmt
               its parts
    verify     the rules of each level
    verify_expr
               those of expressions
    arith      simplify and prove: ranges, sums, digits of sums
    arith_rules
               what each operator makes of them
    linear     sums of integer terms, their division by constants
    facts      what is known of integers at a place
    effects    which tensors a function writes
    arch       limits of GPU architectures

May import: base, mapping.
Start reading: expr, then stmt.
Add one more: a node is a frozen dataclass in expr or stmt and a member of its union; the type
checker then names every `match` that must learn it. An intrinsic is a row in intrinsic and one
rule in each of codegen.cuda, codegen.llvm and interp.
"""

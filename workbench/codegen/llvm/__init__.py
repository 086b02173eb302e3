"""LLVM IR for the CPU."""

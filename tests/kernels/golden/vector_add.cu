// vector_add                                       vector_add.py:15
extern "C" __global__ void __launch_bounds__(256) vector_add(
    const float* __restrict__ a, const float* __restrict__ b, float* __restrict__ c) {
  int i = blockIdx.x * 256 + threadIdx.x;  // :17
  if (i < 1009) {                          // :18
    c[i] = a[i] + b[i];                    // :19
  }
}

// scale                                            cuda_kernels.py:39
// repeat(4, 1) * spatial(16, 8): 128 workers, 4 tasks each
extern "C" __global__ void __launch_bounds__(128) scale(const float* __restrict__ a, float* __restrict__ b) {
  for (int r = 0; r < 4; ++r) {
    b[threadIdx.x + r * 128] = a[threadIdx.x + r * 128] * 2.0f;  // :42
  }
}

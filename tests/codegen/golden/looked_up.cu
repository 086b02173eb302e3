// looked_up                                        cuda_kernels.py:145
// spatial(9) * repeat(4): 9 workers, 4 tasks each
extern "C" __global__ void __launch_bounds__(9) looked_up(const float* __restrict__ a, float* __restrict__ b) {
  for (int r = 0; r < 4; ++r) {
    int i = threadIdx.x * 4 + r;  // :148
    b[i] = a[i * 7 % 36] + 1.0f;  // :149
  }
}

// row_sums                                         cuda_kernels.py:153
extern "C" __global__ void __launch_bounds__(256) row_sums(const float* __restrict__ a, float* __restrict__ b) {
  float part[4];  // :156
  #pragma unroll
  for (int k = 0; k < 4; ++k) {                           // :157
    int j = threadIdx.x + k * 32;                         // :158
    part[k] = j < 100 ? a[j + threadIdx.y * 100] : 0.0f;  // :159
  }
  float total = 0.0f;  // :160
  #pragma unroll
  for (int k = 0; k < 4; ++k) {  // :161
    total += part[k];            // :162
  }
  total += __shfl_xor_sync(0xffffffffu, total, 16);  // :164
  total += __shfl_xor_sync(0xffffffffu, total, 8);
  total += __shfl_xor_sync(0xffffffffu, total, 4);
  total += __shfl_xor_sync(0xffffffffu, total, 2);
  total += __shfl_xor_sync(0xffffffffu, total, 1);
  if (threadIdx.x == 0) {    // :165
    b[threadIdx.y] = total;  // :166
  }
}

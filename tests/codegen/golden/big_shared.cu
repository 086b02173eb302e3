extern __shared__ __align__(16) unsigned char shared_memory[];

// big_shared                                       cuda_kernels.py:98
extern "C" __global__ void __launch_bounds__(256) big_shared(const float* __restrict__ a, float* __restrict__ b) {
  float* tile = (float*)&shared_memory[0];      // :101
  float* rows = (float*)&shared_memory[61440];  // :102
  for (int r = 0; r < 60; ++r) {                // :103
    int i = threadIdx.x + r * 256;              // :104
    tile[i] = a[i];                             // :105
  }
  if (threadIdx.x < 128) {                   // :106
    rows[threadIdx.x] = (float)threadIdx.x;  // :107
  }
  __syncthreads();                                                   // :108
  for (int r = 0; r < 60; ++r) {                                     // :109
    int i = threadIdx.x + r * 256;                                   // :110
    b[i] = tile[i % 120 * 128 + i / 120] + rows[threadIdx.x % 128];  // :111
  }
}

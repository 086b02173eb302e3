// transpose                                        transpose.py:33
// repeat(4, 1) * spatial(8, 32): 256 workers, 4 tasks each
extern "C" __global__ void __launch_bounds__(256) transpose(const float* __restrict__ a, float* __restrict__ b) {
  __shared__ float tile[1024];         // :35
  int left = blockIdx.x * 32;          // :37
  for (int r = 0; r < 4; ++r) {        // repeat(4, 1)
    int i = threadIdx.x / 32 + r * 8;  // :38
    int j = threadIdx.x % 32;
    if (i < 5 && left + j < 131) {  // :39
      tile[(threadIdx.x + r * 256) ^ (((threadIdx.x + r * 256) >> 5) & 31)] = a[i * 131 + left + j];  // :40
    }
  }
  __syncthreads();                     // :41
  for (int r = 0; r < 4; ++r) {        // repeat(4, 1)
    int i = threadIdx.x / 32 + r * 8;  // :42
    int j = threadIdx.x % 32;
    if (left + i < 131 && j < 5) {                                              // :43
      b[(left + i) * 5 + j] = tile[(j * 32 + i) ^ (((j * 32 + i) >> 5) & 31)];  // :44
    }
  }
}
